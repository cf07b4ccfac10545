import DurablePromises
import Foundation
import JWTKit
import PromiseServer
import Synchronization
import TestSupport
import Testing

@Suite("Who may ask")
struct AuthenticationTests {
    private static let get = envelope("promise.get", #"{"id":"shop/a"}"#)

    private func status(_ server: TestServer, _ token: String?, _ body: String = get) async throws -> Int {
        try await server.post(body, headers: token.map { ["Authorization: Bearer \($0)"] } ?? []).http
    }

    private func settings(
        _ signer: Signer,
        issuer: String? = nil,
        audience: String? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) async throws -> ServerSettings {
        let authenticator = try await Authenticator(
            keysPEM: signer.publicPEM, issuer: issuer, audience: audience, now: now
        )
        return testSettings { $0.authenticator = authenticator }
    }

    @Test("tokens of each kind of key are known, and those of another key of the kind are not")
    func keys() async throws {
        let signers: [(Signer, Signer)] = [
            (await .p256(), await .p256()),
            (await .p384(), await .p384()),
            (try await .ed25519(), try await .ed25519()),
            (try await .rsa(), try await .rsa()),
            (try await .rsa(.sha512), try await .rsa(.sha512)),
            (try await .rsa(.sha384, isPSS: true), try await .rsa(.sha384, isPSS: true)),
        ]
        for (signer, stranger) in signers {
            try await withServer(settings: try await settings(signer)) { (server) async throws in
                let claims = #"{"prefix":"shop/"}"#
                #expect(try await self.status(server, try await signer.token(claims)) == 404)
                #expect(try await self.status(server, try await stranger.token(claims)) == 401)
            }
        }
    }

    @Test("of several keys in a file each is known")
    func severalKeys() async throws {
        let (old, new) = (await Signer.p256(), try await Signer.ed25519())
        let authenticator = try await Authenticator(keysPEM: old.publicPEM + "\n" + new.publicPEM)
        try await withServer(settings: testSettings { $0.authenticator = authenticator }) { (server) async throws in
            for signer in [old, new] {
                #expect(try await self.status(server, try await signer.token(#"{"role":"admin"}"#)) == 404)
            }
        }
    }

    @Test("who has no token, or one that was not signed as it should be, is answered 401, and no promise is looked at")
    func invalid() async throws {
        let signer = await Signer.p256()
        let promises = MemoryPromises()
        try await withServer(promises, settings: try await settings(signer)) { server in
            let valid = try await signer.token(#"{"prefix":""}"#)
            let forged = valid.split(separator: ".")
            let admin = try await Signer.p256().token(#"{"role":"admin"}"#).split(separator: ".")
            for token in [
                nil, "", "x", "a.b.c", String(valid.dropLast(4)), "\(forged[0]).\(admin[1]).\(forged[2])",
                try await Signer.unsigned().token(#"{"role":"admin"}"#),
                try await Signer.confused(by: signer).token(#"{"role":"admin"}"#),
                try await signer.token(#"{"prefix":5}"#),
            ] {
                let headers = token.map { ["Authorization: Bearer \($0)"] } ?? []
                let answer = try await server.request("POST", "/", body: Self.get, headers: headers)
                #expect(answer.status == 401, "\(token ?? "none")")
                #expect(answer.head.contains("WWW-Authenticate: Bearer"))
                #expect(try Response(json: answer.body.utf8).status == 401)
                if let token, token.count > 3 { #expect(!answer.body.contains(token)) }
            }
            #expect(try await self.status(server, valid) == 404)
        }
        #expect(promises.asked.count == 1)
    }

    @Test(
        "a token that names extensions which have to be understood is not valid",
        arguments: [.array([.string("exp")]), .array([.string("b64")]), .array([]), .string("exp"), .null]
            as [JWTHeaderField]
    )
    func critical(_ extensions: JWTHeaderField) async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { (server) async throws in
            let claims = #"{"prefix":""}"#
            let header: JWTHeader = ["crit": extensions, "b64": .bool(true), "exp": .int(1)]
            #expect(try await self.status(server, try await signer.token(claims, header: header)) == 401)
            #expect(try await self.status(server, try await signer.token(claims, header: ["kid": .string("x")])) == 404)
        }
    }

    @Test("a token in the envelope goes before that of the header")
    func places() async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { server in
            let shop = try await signer.token(#"{"prefix":"shop/"}"#)
            let bank = try await signer.token(#"{"prefix":"bank/"}"#)
            let inside = envelope("promise.get", #"{"id":"shop/a"}"#, head: #","auth":"\#(shop)""#)
            #expect(try await self.status(server, bank, inside) == 404)
            #expect(try await self.status(server, nil, inside) == 404)
            #expect(try await self.status(server, bank) == 403)
        }
    }

    @Test(
        "claims say what is allowed",
        arguments: [
            (#"{"role":"admin"}"#, 404),
            (#"{"role":"admin","prefix":"bank/"}"#, 404),
            (#"{"role":"user"}"#, 403),
            (#"{}"#, 403),
            (#"{"prefix":null}"#, 403),
            (#"{"prefix":""}"#, 404),
            (#"{"prefix":"shop"}"#, 404),
            (#"{"prefix":"shop/a"}"#, 404),
            (#"{"prefix":"shop/ab"}"#, 403),
            (#"{"prefix":"bank/"}"#, 403),
        ]
    )
    func claims(_ claims: String, _ expected: Int) async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { server in
            let token = try await signer.token(claims)
            // The second time it is known.
            for _ in 0..<2 { #expect(try await self.status(server, token) == expected) }
        }
    }

    @Test("ids inside of other requests are looked at as well, and a search is refused")
    func inside() async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { server in
            let token = try await signer.token(#"{"prefix":"shop/"}"#)
            for (id, expected) in [("shop/b", 404), ("bank/b", 403)] {
                let inner = envelope("promise.create", #"{"id":"\#(id)","timeoutAt":5000}"#)
                let fence = envelope("task.fence", #"{"id":"shop/a","version":1,"action":\#(inner)}"#)
                #expect(try await self.status(server, token, fence) == expected)
            }
            #expect(try await self.status(server, token, envelope("promise.search", "{}")) == 403)
            let all = try await signer.token(#"{"prefix":""}"#)
            #expect(try await self.status(server, all, envelope("promise.search", "{}")) == 200)
        }
    }

    @Test("promises of the branch that the token does not allow are left out of an answer")
    func preload() async throws {
        let signer = await Signer.p256()
        try await withServer(PreloadingPromises(), settings: try await settings(signer)) { server in
            let acquire = envelope("task.acquire", #"{"id":"shop:1","version":0,"pid":"p","ttl":1}"#)
            for (claims, ids) in [
                (#"{"prefix":"shop:1"}"#, ["shop:1.1"]), (#"{"role":"admin"}"#, ["shop:1.1", "shop:2"]),
            ] {
                let token = try await signer.token(claims)
                let (_, response) = try await server.post(acquire, headers: ["Authorization: Bearer \(token)"])
                #expect(response.data.preload?.map(\.id) == ids)
            }
        }
    }

    @Test("a token counts from its nbf until its exp, though it is known")
    func times() async throws {
        let signer = await Signer.p256()
        let time = Atomic(1000)
        let settings = try await settings(signer) { Date(timeIntervalSince1970: Double(time.load(ordering: .relaxed))) }
        try await withServer(settings: settings) { server in
            let token = try await signer.token(#"{"prefix":"","nbf":1001,"exp":1010}"#)
            for (now, expected) in [(1000, 401), (1001, 404), (1009, 404), (1010, 401)] {
                time.store(now, ordering: .relaxed)
                #expect(try await self.status(server, token) == expected, "\(now)")
            }
        }
    }

    @Test("iss and aud have to be as the settings say")
    func issuer() async throws {
        let signer = await Signer.p256()
        let settings = try await settings(signer, issuer: "me", audience: "promises")
        try await withServer(settings: settings) { (server) async throws in
            for (claims, expected) in [
                (#"{"prefix":"","iss":"me","aud":"promises"}"#, 404),
                (#"{"prefix":"","iss":"me","aud":["other","promises"]}"#, 404),
                (#"{"prefix":"","iss":"you","aud":"promises"}"#, 401),
                (#"{"prefix":"","aud":"promises"}"#, 401),
                (#"{"prefix":"","iss":"me","aud":"other"}"#, 401),
                (#"{"prefix":"","iss":"me"}"#, 401),
                (#"{"role":"admin"}"#, 401),
            ] {
                #expect(try await self.status(server, try await signer.token(claims)) == expected, "\(claims)")
            }
        }
    }

    @Test("what is wrong with an envelope is said before it is asked who sent it")
    func order() async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { (server) async throws in
            for body in [
                "{", envelope("promise.get", "{}"), envelope("nonsense", "{}"),
                #"{"kind":"promise.get","head":{"version":"1"},"data":{"id":"a"}}"#,
            ] {
                #expect(try await self.status(server, nil, body) == 400, "\(body)")
            }
            #expect(try await self.status(server, nil) == 401)
        }
    }

    @Test("a stream needs a Bearer token")
    func streams() async throws {
        let signer = await Signer.p256()
        try await withServer(settings: try await settings(signer)) { server in
            let token = try await signer.token(#"{"prefix":"shop/"}"#)
            for (headers, expected) in [
                ([String](), 401), (["Authorization: Bearer x"], 401), (["Authorization: Basic \(token)"], 401),
                (["Authorization: Bearer \(try await signer.token("{}"))"], 403),
            ] {
                #expect(try await server.request("GET", "/poll/g/p", headers: headers).status == expected)
            }
            for scheme in ["Bearer", "bearer"] {
                let connection = try server.connect()
                try connection.write("GET /poll/g/p HTTP/1.1\r\nHost: x\r\nauthorization: \(scheme) \(token)\r\n\r\n")
                _ = try await connection.read("a stream") { $0.hasPrefix("HTTP/1.1 200 OK") }
            }
            // What watches a server has no token.
            for path in ["/ready", "/health", "/metrics"] {
                #expect(try await server.request("GET", path).status == 200)
            }
        }
    }

    @Test("only a server that is being debugged takes debug.*, and only from administrators")
    func debugging() async throws {
        let signer = await Signer.p256()
        let debug = envelope("debug.snap", "{}")
        let admin = try await signer.token(#"{"role":"admin"}"#)
        let user = try await signer.token(#"{"prefix":""}"#)
        var settings = try await settings(signer)
        try await withServer(settings: settings) { (server) async throws in
            #expect(try await self.status(server, admin, debug) == 403)
        }
        settings.isDebugging = true
        let promises = MemoryPromises()
        try await withServer(promises, settings: settings) { (server) async throws in
            #expect(try await self.status(server, nil, debug) == 401)
            #expect(try await self.status(server, user, debug) == 403)
            #expect(try await self.status(server, admin, debug) == 200)
            let early = envelope("promise.get", #"{"id":"a"}"#, head: #","resonate:debug_time":7"#)
            #expect(try await self.status(server, user, early) == 403)
            #expect(try await self.status(server, admin, early) == 404)
        }
        #expect(promises.asked.map(\.head.debugTime) == [nil, 7])
        try await withServer(settings: testSettings { $0.isDebugging = true }) { (server) async throws in
            #expect(try await self.status(server, nil, debug) == 403)
        }
    }

    @Test("where a secret is all that there is, its bearer is an administrator, and the rest is open to everybody")
    func secret() async throws {
        let authenticator = try await Authenticator(keysPEM: nil, secret: "s3cret-s3cret-s3cret")
        let settings = testSettings {
            $0.authenticator = authenticator
            $0.isDebugging = true
        }
        try await withServer(settings: settings) { (server) async throws in
            let debug = envelope("debug.snap", "{}")
            #expect(try await self.status(server, nil, debug) == 403)
            #expect(try await self.status(server, "s3cret-s3cret-s3crex", debug) == 401)
            #expect(try await self.status(server, "s3cret-s3cret-s3cret", debug) == 200)
            #expect(try await self.status(server, nil) == 404)
        }
    }

    @Test("a file of keys that cannot be used is said to be so")
    func keyFiles() async throws {
        for (pem, word) in [
            ("", "no public key"), ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "none of RSA"),
            (await Signer.p521().publicPEM, "none of RSA"), ("-----BEGIN PRIVATE KEY-----\n", "a private key"),
        ] {
            let error = await #expect(throws: KeyFileError.self) { try await Authenticator(keysPEM: pem) }
            #expect(error?.description.contains(word) == true)
        }
    }
}

/// Promises whose tasks have something of a neighbour in their branch.
private struct PreloadingPromises: ServedPromises {
    func process(_ request: Request) async throws -> Response {
        let preload = ["shop:1.1", "shop:2"].map { PromiseRecord(id: $0, timeoutAt: 1, createdAt: 0) }
        return Response(to: request, data: ResponseData(preload: preload))
    }

    func messages(group: String, id: String) -> AsyncStream<PromiseMessage> { AsyncStream { $0.finish() } }
    func deliveries(group: String, id: String) -> AsyncStream<MessageDelivery> { AsyncStream { $0.finish() } }
}
