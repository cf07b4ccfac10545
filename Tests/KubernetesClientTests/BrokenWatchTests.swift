import Foundation
import HTTPClient
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Watches over networks as they are")
struct BrokenWatchTests {
    private static let lines = [
        #"{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"shop","resourceVersion":"1"},"data":{"x":"ä€🙂"}}}"#,
        #"{"type":"MODIFIED","object":{"metadata":{"name":"a","namespace":"shop","resourceVersion":"2"},"data":{"x":"\n"}}}"#,
        #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"3"}}}"#,
        #"{"type":"DELETED","object":{"metadata":{"name":"a","namespace":"shop","resourceVersion":"4"}}}"#,
    ]

    private func name(_ event: WatchEvent<DynamicObject>) -> String {
        let version = event.resourceVersion ?? ""
        return switch event {
        case .added(let object): "added \(version) \(object.json[path: "data", "x"]?.string ?? "")"
        case .modified(let object): "modified \(version) \(object.json[path: "data", "x"]?.string ?? "")"
        case .deleted: "deleted \(version)"
        case .bookmark: "bookmark \(version)"
        }
    }

    @Test("a stream that is cut into two pieces at any byte, in the middle of a character as well, tells the same")
    func everyOffset() throws {
        let bytes = Array((Self.lines.joined(separator: "\n") + "\n").utf8)
        for offset in 0...bytes.count {
            var splitter = LineSplitter(limit: 1000)
            var told: [String] = []
            for piece in [bytes[..<offset], bytes[offset...]] {
                splitter.append(Array(piece))
                while let line = try splitter.next() {
                    let content = try JSONCoding.decode(WatchLine<DynamicObject>.self, from: line, of: "it").content
                    guard case .event(let event) = content else { continue }
                    told.append(name(event))
                }
            }
            #expect(told == ["added 1 ä€🙂", "modified 2 \n", "bookmark 3", "deleted 4"], "cut at \(offset)")
        }
    }

    @Test("a version that is too old, told in the stream, is an expired watch, after the events before it")
    func expiredInBand() async throws {
        let status =
            #"{"kind":"Status","status":"Failure","message":"too old resource version: 1 (9)","reason":"Expired","code":410}"#
        let server = try ScriptedServer { _ in
            .pieces([Self.lines[0] + "\n" + #"{"type":"ERROR","object":"# + status + "}\n"])
        }
        defer { server.stop() }
        let stream = try await KubernetesClient(ClusterConfiguration(server: server.url)).watch(
            DynamicObject.self, .configMaps, WatchOptions(resourceVersion: "0", timeout: .seconds(1)))
        var told: [String] = []
        let error = await #expect(throws: KubernetesError.self) {
            for try await event in stream { told.append(name(event)) }
        }
        #expect(told == ["added 1 ä€🙂"])
        #expect(error?.code == .expired && error?.httpStatus == 410)
    }

    @Test("a connection that is reset in the middle of a line ends the watch with an error, after the whole lines")
    func reset() async throws {
        let server = try ScriptedServer { _ in .pieces([Self.lines[0] + "\n" + Self.lines[1].prefix(40)]) }
        let proxy = try TestProxy(.none, to: server.port)
        defer {
            proxy.stop()
            server.stop()
        }
        let client = KubernetesClient(ClusterConfiguration(server: "http://127.0.0.1:\(proxy.port)"))
        let stream = try await client.watch(
            DynamicObject.self, .configMaps, WatchOptions(resourceVersion: "0", timeout: .seconds(1)))
        var told: [String] = []
        let error = await #expect(throws: KubernetesError.self) {
            for try await event in stream {
                told.append(name(event))
                proxy.cut()
            }
        }
        #expect(told == ["added 1 ä€🙂"])
        #expect(error?.code == .connection)
    }

    @Test("a connection that delivers nothing more is given up five seconds after the watch should have ended")
    func halfOpen() async throws {
        let (client, proxy) = try makeProxiedClient()
        defer { proxy.stop() }
        let stream = try await client.watch(
            DynamicObject.self, .namespaces, WatchOptions(resourceVersion: "0", timeout: .seconds(4)))
        // Long before the server would end it, also on a busy machine.
        var isFrozen = false
        let start = ContinuousClock.now
        let error = await #expect(throws: KubernetesError.self) {
            for try await _ in stream where !isFrozen {
                isFrozen = true
                proxy.freeze()
            }
        }
        #expect(isFrozen && error?.code == .timeout)
        #expect(.now - start >= .seconds(8) && .now - start < .seconds(30))
    }
}
