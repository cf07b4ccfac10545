internal import JSON

/// The answer to one request, in the protocol's envelope.
public struct Response: Sendable, Hashable {
    public struct Head: Sendable, Hashable {
        public var corrId: String
        /// As in HTTP: 200, 400, 401, 403, 404, 409, 422, 500, 501, 503; and 300, do not suspend but go on.
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
    public init(to request: Request, status: Int = 200, data: ResponseData = ResponseData(), error: String? = nil) {
        kind = request.operation.kind
        head = Head(corrId: request.head.corrId, status: status, version: Request.currentVersion)
        self.data = data
        self.error = error
    }

    public var status: Int { head.status }

    /// The answer; throws what it refuses.
    public func get() throws(PromiseError) -> ResponseData {
        guard error == nil else { throw PromiseError(status: status, error ?? "\(kind) was refused: \(status)") }
        return data
    }

    // MARK: JSON

    /// The response as JSON.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Reads a response. Throws `incompatible` for what is none.
    public init(json: some Sequence<UInt8>) throws(PromiseError) {
        do throws(JSONReader.Flaw) {
            self = try JSONReader.read(json) { (reader) throws(JSONReader.Flaw) in try Response(reading: &reader) }
        } catch {
            throw PromiseError(.incompatible, "the answer is not of the promise protocol: \(error)")
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kind", kind)
            writer.member("head") { writer in
                writer.object { writer in
                    writer.member("corrId", head.corrId)
                    writer.member("status", Int64(head.status))
                    writer.member("version", head.version)
                }
            }
            writer.key("data")
            if let error { writer.string(error) } else { data.write(to: &writer) }
        }
    }

    init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        typealias Flaw = JSONReader.Flaw
        var kind = ""
        var head = Head(corrId: "0", status: 200, version: "")
        var data: JSONReader?
        try reader.object { (key, reader) throws(Flaw) in
            switch key {
            case "kind": kind = try reader.string()
            case "head":
                try reader.object { (key, reader) throws(Flaw) in
                    switch key {
                    case "corrId": head.corrId = try reader.string()
                    case "status": head.status = Int(try reader.integer())
                    case "version": head.version = try reader.string()
                    default: try reader.skip()
                    }
                }
            case "data": data = try reader.deferred()
            default: try reader.skip()
            }
        }
        guard var data else { throw Flaw(description: "data are missing") }
        self.kind = kind
        self.head = head
        self.data = ResponseData()
        if head.status < 400 {
            self.data = try ResponseData(reading: &data)
        } else {
            error = data.isObject ? try data.raw() : try data.string()
        }
    }
}
