import DurablePromises
import Foundation
import TestSupport
import Testing

@Suite("sluice promise")
struct PromiseCommandTests {
    private func withServerProcess(_ url: String, _ body: (SluiceProcess, Int) async throws -> Void) async throws {
        try await withSluiceServer(on: url) { server in
            try await server.becomeReady()
            try await body(server.process, server.port)
        }
    }

    @Test("promises are created, read, settled and found by hand, through a server and in the database")
    func byHand() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                let server = ["SLUICE_SERVER": "http://127.0.0.1:\(port)"]
                let database = ["SLUICE_DATABASE_URL": url]
                let created = try await runSluice(
                    "promise", "create", "p", "--tag", "team=shop", "--data", "hi", "--timeout", "1h", "-o", "json",
                    environment: server
                )
                #expect(created.status == 0)
                #expect(created.standardOutput.contains(#""state" : "pending""#))
                let read = try await runSluice("promise", "get", "p", environment: database)
                #expect(read.standardOutput.contains("state:   pending\n"))
                #expect(read.standardOutput.contains("param:   hi\n"))
                #expect(read.standardOutput.contains("tag:     team=shop"))
                let settled = try await runSluice(
                    "promise", "settle", "p", "--state", "rejected", "--data", "no", environment: server
                )
                #expect(settled.status == 0)
                #expect(settled.standardOutput.contains("state:   rejected\n"))
                #expect(settled.standardError.isEmpty)
                let again = try await runSluice("promise", "settle", "p", environment: database)
                #expect(again.status == 1)
                #expect(again.standardError == "Error: p was rejected before, and stays as it is\n")
                let same = try await runSluice("promise", "settle", "p", "--state", "rejected", environment: server)
                #expect(same.status == 0)
                #expect(same.standardError == "p was rejected before, and stays as it is\n")
                let found = try await runSluice("promise", "search", "--tag", "team=shop", environment: server)
                #expect(found.standardOutput.split(separator: "\n").last?.hasPrefix("p    rejected") == true)
                let none = try await runSluice("promise", "get", "nobody", environment: server)
                #expect(none.status == 1)
                #expect(none.standardError == "Error: there is no promise nobody at the server 127.0.0.1:\(port)\n")
                // Of both in the environment the server is asked; an option goes before both.
                let both = ["SLUICE_SERVER": "http://me:secret@127.0.0.1:\(port)/", "SLUICE_DATABASE_URL": url]
                let asked = try await runSluice("promise", "settle", "nobody", environment: both)
                #expect(asked.standardError == none.standardError)
                let parts = try #require(URLComponents(string: url))
                let place = "\(parts.host ?? ""):\(parts.port ?? 0)\(parts.path)"
                let without = "postgresql://\(parts.user ?? "")@\(place)"
                let chosen = try await runSluice(
                    "promise", "get", "nobody", "--database-url", without,
                    environment: both.merging(["PGPASSWORD": parts.password ?? ""]) { $1 })
                #expect(chosen.standardError == "Error: there is no promise nobody in the database \(place)\n")
                let empty = ["SLUICE_SERVER": "", "SLUICE_TOKEN": "", "SLUICE_DATABASE_URL": url]
                let only = try await runSluice("promise", "get", "nobody", environment: empty)
                #expect(only.standardError == chosen.standardError)
                let nameless = try await runSluice("promise", "get", "", environment: server)
                #expect(nameless.standardError.contains("an id is not empty"))
            }
        }
    }

    @Test("without tables, a server or a database, promises by hand say what to do")
    func nothingThere() async throws {
        let nowhere = try await runSluice(
            "promise", "get", "p", environment: ["SLUICE_SERVER": "", "SLUICE_DATABASE_URL": ""])
        #expect(nowhere.status == 64)
        #expect(nowhere.standardError.contains("give --server or --database-url"))
        let away = try await runSluice("promise", "get", "p", "--server", "http://127.0.0.1:1")
        #expect(away.status == 1)
        #expect(away.standardError.contains("does not answer"))
        try await withTestDatabase { url in
            let empty = try await runSluice("promise", "get", "p", environment: ["SLUICE_DATABASE_URL": url])
            #expect(empty.standardError.contains("the database holds no promises yet"))
        }
    }

    @Test("what others have chosen cannot pass for lines or colours of the terminal, and JSON stays JSON")
    func controlCharacters() async throws {
        let id = "a\u{1B}[2J\r\nstate:   resolved\u{9B}31m\u{202E}"
        let shown = #"a\u{1B}[2J\r\nstate:   resolved\u{009B}31m\u{202E}"#
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                let server = ["SLUICE_SERVER": "http://127.0.0.1:\(port)"]
                func promise(_ arguments: String...) async throws -> Program.Output {
                    let output = try await Program.run(
                        TestServers.sluice, ["promise"] + arguments, environment: server)
                    #expect(output.status == 0, "\(output.standardError)")
                    for scalar in (output.standardOutput + output.standardError).unicodeScalars where scalar != "\n" {
                        #expect(scalar.properties.generalCategory != .control && !scalar.properties.isBidiControl)
                    }
                    return output
                }
                let created = try await promise("create", id, "--data", id, "--tag", "t=\(id)")
                #expect(created.standardOutput.hasPrefix("id:      \(shown)\nstate:   pending\n"))
                #expect(created.standardOutput.contains("\nparam:   \(shown)\ntag:     t=\(shown)\n"))
                let settled = try await promise("settle", id, "--data", id)
                #expect(settled.standardOutput.contains("\nvalue:   \(shown)\n"))
                let again = try await promise("settle", id, "--data", id)
                #expect(again.standardError.hasPrefix("\(shown) was resolved before"))
                let rows = try await promise("search").standardOutput.split(separator: "\n")
                #expect(rows.count == 2)
                #expect(rows.last?.hasPrefix("\(shown)   resolved ") == true)
                let json = try await promise("get", id, "-o", "json").standardOutput
                let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
                #expect(read?["id"] as? String == id)
                let none = try await runSluice("promise", "get", "no\u{1B}body", environment: server)
                #expect(none.standardError.contains(#"there is no promise no\u{1B}body"#))
            }
        }
    }

    @Test("the cursor of a page is one word for a shell, whatever it is", arguments: ["it's; `x` $y", "a\u{1B}'\n"])
    func cursor(_ id: String) async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                let server = ["SLUICE_SERVER": "http://127.0.0.1:\(port)"]
                for id in [id, "z"] {
                    #expect(try await runSluice("promise", "create", id, environment: server).status == 0)
                }
                let page = try await runSluice("promise", "search", "--limit", "1", environment: server)
                let line = try #require(page.standardError.firstMatch(of: /there are more: --cursor (.*)\n$/)?.1)
                #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
                #expect(try await Program.output("bash", ["-c", "printf %s. \(line)"]) == id + ".")
            }
        }
    }

    @Test("ids of signs that take more than one code unit are whole in a table, and stand in columns")
    func wideIds() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                let server = ["SLUICE_SERVER": "http://127.0.0.1:\(port)"]
                _ = try await runSluice("promise", "create", "👩‍🚀👩‍🚀👩‍🚀", environment: server)
                let found = try await runSluice("promise", "search", environment: server)
                #expect(found.standardOutput.contains("\n👩‍🚀👩‍🚀👩‍🚀   pending  "))
            }
        }
    }

    @Test(
        "a mistake in where the promises are is refused with 64, and no password is shown",
        arguments: [
            (["--server", "http://me:secret@localhost"], [:], "put the URL into SLUICE_SERVER"),
            (["--server", "me:secret@localhost"], [:], "put the URL into SLUICE_SERVER"),
            ([], ["SLUICE_SERVER": "me:secret@localhost"], "is not a server's URL"),
            (["--server", "http://127.0.0.1:1", "--database-url", "postgresql://h/x"], [:], "give one of them"),
        ] as [([String], [String: String], String)]
    )
    func mistakes(_ arguments: [String], _ environment: [String: String], _ word: String) async throws {
        let output = try await Program.run(
            TestServers.sluice, ["promise", "get", "p"] + arguments, environment: environment)
        #expect(output.status == 64)
        #expect(output.standardError.contains(word), "\(output.standardError)")
        #expect(!output.standardError.contains("secret"))
    }

    @Test("a page of a search has a sensible length", arguments: ["0", "-1", "1001", "9223372036854775807"])
    func limits(_ limit: String) async throws {
        let output = try await runSluice("promise", "search", "--limit=\(limit)", "--server", "http://127.0.0.1:1")
        #expect(output.status == 64)
        #expect(output.standardError.contains("--limit is from 1 to 1000"), "\(output.standardError)")
    }

    @Test(
        "what is not UTF-8 is refused, and no other text is put in its place",
        arguments: [
            #"create "$(printf 'a\xff')""#, #"get "$(printf '\xff\xfe')""#,
            #"create a --data "$(printf '\xff')""#, #"create a --tag t="$(printf '\xc3')""#,
            #"settle a --data - <<< "$(printf '\xff')""#,
        ]
    )
    func bytes(_ arguments: String) async throws {
        try await withTestDatabase { url in
            let output = try await Program.run(
                "bash", ["-c", #"exec "$0" promise \#(arguments)"#, TestServers.sluice],
                environment: ["SLUICE_DATABASE_URL": url])
            #expect(output.status == 64)
            #expect(output.standardError.contains("is not valid UTF-8"), "\(output.standardError)")
        }
    }

    @Test("bytes of any kind are data with --base64")
    func base64() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                let output = try await Program.run(
                    "bash",
                    ["-c", #"printf '\xff' | "$0" promise create a --data - --base64"#, TestServers.sluice],
                    environment: ["SLUICE_SERVER": "http://127.0.0.1:\(port)"])
                #expect(output.standardOutput.contains("param:   /w==\n"))
            }
        }
    }

    @Test("lengths of time are written as they are read")
    func times() async throws {
        let creating = try await runSluice("promise", "create", "--help")
        #expect(creating.standardOutput.contains("(default: 24h)"))
        let waiting = try await runSluice("wait", "--help")
        #expect(waiting.standardOutput.contains("(default: 10m)"))
        let mistaken = try await runSluice("promise", "create", "a", "--timeout", "5")
        #expect(mistaken.status == 64)
        #expect(mistaken.standardError.contains("'--timeout <time>': a length of time has its unit, such as 90s"))
    }

    @Test("a mistake that is seen late is told with the command that it is about")
    func help() async throws {
        let nowhere = try await runSluice(
            "promise", "get", "p", environment: ["SLUICE_SERVER": "", "SLUICE_DATABASE_URL": ""])
        #expect(nowhere.standardError.hasSuffix("\n  See 'sluice promise get --help' for more information.\n"))
        #expect(!nowhere.standardError.contains("<subcommand>"))
    }

    @Test("a password in SLUICE_SERVER is taken, and not shown when the server does not answer")
    func passwordInTheEnvironment() async throws {
        let away = try await runSluice(
            "promise", "get", "p", environment: ["SLUICE_SERVER": "http://me:secret@127.0.0.1:1"])
        #expect(away.status == 1)
        #expect(away.standardError.contains("does not answer"))
        #expect(!away.standardError.contains("secret"))
    }
}
