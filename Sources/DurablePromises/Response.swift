/// The answer to one request, in the protocol's envelope.
public struct Response: Sendable, Hashable {
    public struct Head: Sendable, Hashable, Codable {
        public var corrId: String
        /// As in HTTP: 200, 400, 404, 409, 422, 501.
        public var status: Int
        public var version: String
    }

    public var kind: String
    public var head: Head
    /// Nothing when the request was refused.
    public var data: ResponseData
    /// Why it was refused.
    public var error: String?

    /// The answer to `request`.
    init(to request: Request, status: Int = 200, data: ResponseData = ResponseData(), error: String? = nil) {
        kind = request.operation.kind
        head = Head(corrId: request.head.corrId, status: status, version: Request.currentVersion)
        self.data = data
        self.error = error
    }

    public var status: Int { head.status }

    /// The answer; throws what it refuses.
    func get() throws(PromiseError) -> ResponseData {
        guard status == 200 else { throw PromiseError(status: status, error ?? "\(kind) was refused: \(status)") }
        return data
    }
}

extension Response: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, head, data
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decode(String.self, forKey: .kind)
        head = try container.decode(Head.self, forKey: .head)
        if head.status == 200 {
            data = try container.decode(ResponseData.self, forKey: .data)
        } else {
            data = ResponseData()
            error = try container.decode(String.self, forKey: .data)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(head, forKey: .head)
        if let error {
            try container.encode(error, forKey: .data)
        } else {
            try container.encode(data, forKey: .data)
        }
    }
}
