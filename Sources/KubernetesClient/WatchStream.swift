internal import HTTPClient

/// The events of one watch, until the server ends it. For one reader.
///
/// An error that the server tells in the stream, such as an expired version, is thrown like any other. The connection
/// is closed when the stream is let go.
public struct WatchStream<Object: KubernetesMetadata>: AsyncSequence, Sendable {
    public typealias Element = WatchEvent<Object>
    public typealias Failure = KubernetesError

    let stream: HTTPStream
    let name: String
    /// For how long it may be silent once the initial events are through.
    let idle: Duration

    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: stream, name: name, idle: idle)
    }

    public struct Iterator: AsyncIteratorProtocol {
        /// Custom resources are bounded by etcd's request limit of 1.5 MB; this leaves room for other settings.
        private static var longestLine: Int { 32 << 20 }

        private let stream: HTTPStream
        private let name: String
        private let idle: Duration
        private var splitter = LineSplitter(limit: longestLine)

        init(stream: HTTPStream, name: String, idle: Duration) {
            self.stream = stream
            self.name = name
            self.idle = idle
        }

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(KubernetesError) -> WatchEvent<Object>? {
            while true {
                while let line = try nextLine() {
                    switch try await Self.decode(line, name).content {
                    case .event(let event):
                        if case .bookmark(_, endsInitialEvents: true) = event { await stream.allow(silence: idle) }
                        return event
                    case .error(let status):
                        throw KubernetesError(
                            status: status, httpStatus: status.code ?? 500, retryAfter: nil, request: name)
                    case .other:
                        continue
                    }
                }
                let bytes: [UInt8]?
                do {
                    bytes = try await stream.bytes()
                } catch {
                    throw KubernetesError(error)
                }
                guard let bytes else { return nil }
                splitter.append(bytes)
            }
        }

        private mutating func nextLine() throws(KubernetesError) -> [UInt8]? {
            do {
                return try splitter.next()
            } catch {
                throw KubernetesError(.decoding, "\(name): a line of the watch is longer than \(error.limit) bytes")
            }
        }

        @concurrent
        private static func decode(_ line: [UInt8], _ name: String) async throws(KubernetesError) -> WatchLine<Object> {
            try JSONCoding.decode(WatchLine<Object>.self, from: line, of: "an event of \(name)")
        }
    }
}
