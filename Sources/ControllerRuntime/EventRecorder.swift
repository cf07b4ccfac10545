internal import Foundation
public import KubernetesClient
public import Logging
internal import Synchronization

/// Tells of what happened to objects, as Events (`events.k8s.io/v1`) that people see with `kubectl describe`.
///
/// Recording never waits and never fails: events that come faster than the server takes them are dropped. The same
/// event within six minutes of the last is counted in that one's series.
public final class EventRecorder: Sendable {
    public enum Level: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    private let client: KubernetesClient
    private let controller: String
    private let instance: String
    private let logger: Logger
    private let buffer: Mutex<EventBuffer>
    private let signal: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - controller: who reports, such as `sluice.dev/operator`.
    ///   - instance: which process, such as the pod's name.
    public init(
        client: KubernetesClient, controller: String, instance: String, capacity: Int = 1000, logger: Logger
    ) {
        self.client = client
        self.controller = controller
        self.instance = instance
        self.logger = logger
        buffer = Mutex(EventBuffer(capacity: capacity))
        (signal, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameters:
    ///   - reason: one word in CamelCase.
    ///   - action: what was done, in one word in CamelCase.
    ///   - note: a sentence for people; what is beyond 1 kB is cut off. No secret belongs in it.
    public func record(
        _ level: Level, regarding: ObjectReference, reason: String, action: String? = nil, note: String
    ) {
        let event = EventBuffer.Recorded(
            regarding: regarding, type: level.rawValue, reason: reason, action: action ?? reason,
            note: String(decoding: note.utf8.prefix(1000), as: UTF8.self))
        buffer.withLock { $0.record(event, at: Date()) }
        ring.yield()
    }

    /// How many events were dropped.
    public var dropped: Int { buffer.withLock { $0.dropped } }

    /// Sends events until its task is cancelled. Run it once.
    @concurrent
    public func run() async {
        for await _ in signal {
            while !Task.isCancelled, let write = buffer.withLock({ $0.next() }) {
                await send(write)
            }
        }
    }

    private func send(_ write: EventBuffer.Write) async {
        let namespace = write.event.regarding.namespace ?? "default"
        do {
            if write.count > 1 {
                let series: JSONValue = [
                    "count": .int(Int64(write.count)),
                    "lastObservedTime": .string(MicroTimestamp(write.last).description),
                ]
                do {
                    try await client.patch(
                        Event.resource, ObjectKey(write.name, in: namespace), .merge(["series": series]),
                        fieldManager: "sluice")
                    return
                } catch  where error.code == .notFound {
                    // It ran out on the server: begin anew.
                }
            }
            try await client.create(Event.resource, in: namespace, body(write, namespace))
        } catch {
            guard error.code != .cancelled, error.code != .alreadyExists else { return }
            let object = write.event.regarding
            logger.info(
                "an event was not recorded",
                metadata: [
                    (object.kind ?? "object").lowercased(): "\(ObjectKey(object.name ?? "", in: object.namespace))",
                    "error": "\(error)", "note": "\(write.event.note)",
                ])
        }
    }

    private func body(_ write: EventBuffer.Write, _ namespace: String) throws(KubernetesError) -> JSONValue {
        [
            "metadata": ["name": .string(write.name), "namespace": .string(namespace)],
            "eventTime": .string(MicroTimestamp(write.last).description),
            "reportingController": .string(controller),
            "reportingInstance": .string(instance),
            "type": .string(write.event.type),
            "reason": .string(write.event.reason),
            "action": .string(write.event.action),
            "note": .string(write.event.note),
            "regarding": try JSONValue(encoding: write.event.regarding),
        ]
    }
}
