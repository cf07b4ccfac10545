internal import KubernetesClient
internal import MigrationOperator

/// A question of the API server's, and the answer to it: `AdmissionReview`, `admission.k8s.io/v1`.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response>
struct AdmissionReview: Sendable {
    /// Why a body is no review.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let uid: String
    let request: AdmissionRequest

    init(parsing text: String) throws(Unreadable) {
        let review: JSONValue
        do {
            review = try JSONValue(parsing: text)
        } catch {
            throw Unreadable(description: "the body is not JSON")
        }
        guard review["apiVersion"]?.string == "admission.k8s.io/v1", review["kind"]?.string == "AdmissionReview" else {
            throw Unreadable(description: "the body is no AdmissionReview of admission.k8s.io/v1")
        }
        guard let request = review["request"], let uid = request["uid"]?.string, !uid.isEmpty,
            let operation = request["operation"]?.string.flatMap(AdmissionRequest.Operation.init(rawValue:)),
            let kind = request[path: "kind", "kind"]?.string
        else {
            throw Unreadable(description: "the AdmissionReview has no request with uid, operation and kind")
        }
        self.uid = uid
        self.request = AdmissionRequest(
            operation: operation,
            group: request[path: "kind", "group"]?.string ?? "",
            kind: kind,
            subresource: request["subResource"]?.string.flatMap { $0.isEmpty ? nil : $0 },
            fieldManager: request[path: "options", "fieldManager"]?.string,
            username: request[path: "userInfo", "username"]?.string,
            object: Self.present(request["object"]),
            oldObject: Self.present(request["oldObject"]))
    }

    /// A field that is null is not there.
    private static func present(_ value: JSONValue?) -> JSONValue? {
        guard let value, !value.isNull else { return .none }
        return value
    }

    /// The answer, as JSON. The object is always allowed.
    func answer(_ decision: AdmissionDecision) -> String {
        var response: JSONValue = ["uid": .string(uid), "allowed": true]
        if let object = request.object {
            let patch = decision.patch(of: object)
            if !patch.isEmpty {
                response["patchType"] = "JSONPatch"
                response["patch"] = .string(JSONValue.array(patch).text.base64)
            }
        }
        let review: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
        ]
        return review.text
    }
}
