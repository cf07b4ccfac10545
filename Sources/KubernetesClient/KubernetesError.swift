internal import HTTPClient

/// Why a request to Kubernetes, or the configuration for it, failed.
public struct KubernetesError: Error, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There is no such object, or the server does not know the resource.
        public static let notFound = Code(description: "notFound")
        /// Another writer was faster, or owns the field that was applied.
        public static let conflict = Code(description: "conflict")
        public static let alreadyExists = Code(description: "alreadyExists")
        /// The resource version is too old: list anew.
        public static let expired = Code(description: "expired")
        /// The resource version is one that this server has not reached yet.
        public static let tooLargeResourceVersion = Code(description: "tooLargeResourceVersion")
        /// The object breaks the resource's schema or rules.
        public static let invalid = Code(description: "invalid")
        /// The request itself cannot be understood.
        public static let badRequest = Code(description: "badRequest")
        public static let forbidden = Code(description: "forbidden")
        public static let unauthorized = Code(description: "unauthorized")
        public static let tooManyRequests = Code(description: "tooManyRequests")
        /// The server answered that it cannot serve now (5xx).
        public static let unavailable = Code(description: "unavailable")
        /// Nothing listens at the server's address.
        public static let refused = Code(description: "refused")
        /// The server could not be reached, or the connection broke.
        public static let connection = Code(description: "connection")
        /// No answer came in time.
        public static let timeout = Code(description: "timeout")
        /// The server's certificate, or ours, was not accepted.
        public static let certificate = Code(description: "certificate")
        /// The answer is not what the type expects.
        public static let decoding = Code(description: "decoding")
        /// A value cannot be written as JSON.
        public static let encoding = Code(description: "encoding")
        /// The kubeconfig, or the environment in the cluster, is wrong or incomplete.
        public static let configuration = Code(description: "configuration")
        /// The program that the kubeconfig names gave no credential.
        public static let credentialPlugin = Code(description: "credentialPlugin")
        /// The task that asked was cancelled.
        public static let cancelled = Code(description: "cancelled")
        /// Any other answer that says no.
        public static let refusedByServer = Code(description: "refusedByServer")
    }

    public var code: Code
    public var message: String
    /// The HTTP status, where there was an answer.
    public var httpStatus: Int?
    /// The reason of the server's `Status`, such as `AlreadyExists`.
    public var reason: String?
    /// The fields that the server objects to.
    public var causes: [Status.Cause] = []
    /// How long the server asks to wait before the next try.
    public var retryAfter: Duration?

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static let cancelled = KubernetesError(.cancelled, "the request was cancelled")
}

extension KubernetesError {
    /// Why there is no answer.
    init(_ error: HTTPError) {
        let code: Code =
            switch error.code {
            case .refused: .refused
            case .timeout: .timeout
            case .certificate: .certificate
            case .cancelled: .cancelled
            default: .connection
            }
        self.init(code, error.message)
    }

    /// What an answer with a status of 400 or more means. `request` is its method and path.
    init(status: Status, httpStatus: Int, retryAfter: Duration?, request: String) {
        let reason = status.reason ?? ""
        self.init(
            Self.code(httpStatus: httpStatus, reason: reason, status: status),
            "\(request): \(status.message ?? "the server answered with HTTP status \(httpStatus)")"
                + (reason.isEmpty ? "" : " (\(reason))"))
        self.httpStatus = httpStatus
        self.reason = status.reason
        self.causes = status.details?.causes ?? []
        self.retryAfter = retryAfter ?? status.details?.retryAfterSeconds.map { .seconds($0) }
    }

    private static func code(httpStatus: Int, reason: String, status: Status) -> Code {
        // Servers before 1.20 or so give the cause in words only.
        if status.details?.causes?.contains(where: { $0.reason == "ResourceVersionTooLarge" }) == true
            || status.message?.contains("Too large resource version") == true
        {
            return .tooLargeResourceVersion
        }
        switch (httpStatus, reason) {
        case (_, "AlreadyExists"): return .alreadyExists
        case (_, "Expired"), (_, "Gone"), (410, _): return .expired
        case (400, _), (415, _): return .badRequest
        case (401, _): return .unauthorized
        case (403, _): return .forbidden
        case (404, _): return .notFound
        case (409, _): return .conflict
        case (422, _): return .invalid
        case (429, _): return .tooManyRequests
        case (504, _): return .timeout
        case (500..., _): return .unavailable
        default: return .refusedByServer
        }
    }
}
