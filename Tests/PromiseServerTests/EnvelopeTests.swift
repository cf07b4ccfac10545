import DurablePromises
import PostgreSQL
import PromiseServer
import Testing

@Suite("Envelopes")
struct EnvelopeTests {
    @Test(
        "an envelope that is none is answered 400, with as much of it as could be read",
        arguments: [
            ("", "unknown", "0"),
            ("{", "unknown", "0"),
            ("[]", "unknown", "0"),
            (#"{"kind":"promise.get","data":{"id":"a"}}"#, "promise.get", "0"),
            (#"{"kind":"","head":{"corrId":"7","version":"2026-04-01"},"data":{}}"#, "unknown", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7","version":"2026-04-01"},"data":[]}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7","version":"2026-04-01"}}"#, "promise.get", "7"),
            (
                #"{"kind":"promise.get","head":{"corrId":"7","version":"2025-01-15"},"data":{"id":"a"}}"#,
                "promise.get", "7"
            ),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":{"id":"a"}}"#, "promise.get", "7"),
            (
                #"{"kind":"promise.tickle","head":{"corrId":"7","version":"2026-04-01"},"data":{}}"#, "promise.tickle",
                "7"
            ),
            (#"{"kind":"promise.get","head":{"corrId":"7","version":"2026-04-01"},"data":{}}"#, "promise.get", "7"),
        ]
    )
    func malformed(_ body: String, _ kind: String, _ corrId: String) async throws {
        let promises = MemoryPromises()
        try await withServer(promises) { server in
            let (status, response) = try await server.post(body)
            #expect(status == 400)
            #expect(response.status == 400)
            #expect(response.kind == kind)
            #expect(response.head.corrId == corrId)
            #expect(response.error?.isEmpty == false)
        }
        #expect(promises.asked.isEmpty)
    }

    @Test("the HTTP status is that of the envelope, and kind and number are echoed")
    func statuses() async throws {
        try await withServer { server in
            for (kind, data, status) in [
                ("promise.create", #"{"id":"a","timeoutAt":5000,"tags":{"resonate:target":"poll://any@w"}}"#, 200),
                ("promise.get", #"{"id":"none"}"#, 404),
                ("task.acquire", #"{"id":"a","version":3,"pid":"p","ttl":1000}"#, 409),
                ("promise.register_callback", #"{"awaited":"a","awaiter":"a"}"#, 400),
                ("promise.register_callback", #"{"awaited":"a","awaiter":"a:1"}"#, 422),
                ("task.acquire", #"{"id":"a","version":0,"pid":"p","ttl":1000}"#, 200),
                (
                    "task.suspend",
                    #"{"id":"a","version":1,"actions":[{"kind":"promise.register_callback","head":{"corrId":"","version":"2026-04-01"},"data":{"awaited":"a:2","awaiter":"a"}}]}"#,
                    422
                ),
            ] {
                let (http, response) = try await server.post(envelope(kind, data))
                #expect(http == status, "\(kind) \(data)")
                #expect(response.status == status)
                #expect(response.kind == kind)
                #expect(response.head.corrId == "c1")
            }
        }
    }

    @Test("300, which says that a task need not be suspended, is a status as any other")
    func goOn() async throws {
        try await withServer { server in
            for (kind, data) in [
                ("promise.create", #"{"id":"r","timeoutAt":5000,"tags":{"resonate:target":"poll://any@w"}}"#),
                ("promise.create", #"{"id":"r:1","timeoutAt":5000,"tags":{"resonate:external":"true"}}"#),
                ("promise.settle", #"{"id":"r:1","state":"resolved"}"#),
                ("task.acquire", #"{"id":"r","version":0,"pid":"p","ttl":1000}"#),
            ] {
                #expect(try await server.post(envelope(kind, data)).http == 200)
            }
            let callback = envelope("promise.register_callback", #"{"awaited":"r:1","awaiter":"r"}"#)
            let (http, response) = try await server.post(
                envelope("task.suspend", #"{"id":"r","version":1,"actions":[\#(callback)]}"#)
            )
            #expect(http == 300)
            #expect(response.status == 300)
            #expect(response.data.preload != nil)
        }
    }

    @Test("a database that is away is answered 503, and anything else that goes wrong 500; neither tells what it was")
    func failures() async throws {
        struct Broken: Error {}
        let errors: [(any Error, Int)] = [
            (PostgresError(.connection, "secret host away"), 503),
            (PostgresError(.timeout, "secret"), 503),
            (PostgresError(.server, "secret shutdown", sqlState: "57P01"), 503),
            (StoreUnavailable("secret"), 503),
            (PromiseError(.unavailable, "secret"), 503),
            (PostgresError(.server, "secret column", sqlState: "42703"), 500),
            (Broken(), 500),
        ]
        for (error, status) in errors {
            try await withServer(MemoryPromises { _ in throw error }) { server in
                let (http, response) = try await server.post(envelope("promise.get", #"{"id":"a"}"#))
                #expect(http == status, "\(error)")
                #expect(response.status == status)
                #expect(response.error?.contains("secret") == false)
            }
        }
    }

    @Test("a server whose promises are not reached yet answers 503, then answers")
    func starting() async throws {
        let promises = PromisesAtStart(MemoryPromises())
        try await withServer(promises) { (server) async throws in
            #expect(try await server.post(envelope("promise.get", #"{"id":"a"}"#)).http == 503)
            promises.start()
            #expect(try await server.post(envelope("promise.get", #"{"id":"a"}"#)).http == 404)
        }
    }

    @Test("what nobody knows in an envelope is passed over")
    func unknownMembers() async throws {
        try await withServer { server in
            let (http, _) = try await server.post(
                #"{"x":[1,{"y":null}],"kind":"promise.get","head":{"corrId":"1","version":"2026-04-01","resonate:origin":"o"},"data":{"id":"a","z":1.5e3}}"#
            )
            #expect(http == 404)
        }
    }

    @Test("the time of a request is passed over, unless the server is being debugged")
    func time() async throws {
        let promises = MemoryPromises()
        try await withServer(promises) { (server) async throws in
            let body = envelope("promise.get", #"{"id":"a"}"#, head: #","resonate:debug_time":77,"auth":"t""#)
            #expect(try await server.post(body).http == 404)
        }
        #expect(promises.asked.map(\.head.debugTime) == [nil])
        #expect(promises.asked.map(\.head.auth) == [nil])
    }
}
