import Foundation
import TestSupport
import Testing

@Suite("programs that tests start")
struct ProcessTests {
    @Test("input, output, errors and exit code of a program")
    func program() async throws {
        let output = try await Program.run(
            "sh", ["-c", "cat; echo $WORD; echo wrong >&2; exit 3"], environment: ["WORD": "word"], input: "in\n")
        #expect(output.status == 3)
        #expect(output.standardOutput == "in\nword\n")
        #expect(output.standardError == "wrong\n")
    }

    @Test("a program that does not end is killed when its time is over")
    func timeLimit() async throws {
        let failure = await #expect(throws: TestFailure.self) {
            try await Program.run("sh", ["-c", "echo begun; exec sleep 60"], within: .milliseconds(300))
        }
        #expect(failure?.description.contains("begun") == true)
    }

    @Test("sluice says what it is")
    func help() async throws {
        let output = try await runSluice("--help")
        #expect(output.status == 0)
        #expect(output.standardOutput.contains("USAGE: sluice"))
    }

    @Test("a process that was killed is known by its signal")
    func killed() async throws {
        let folder = try TestServers.folder + "/" + uniqueName("sleep")
        let sleep = try RunningProgram("sleep", ["60"], folder: folder)
        #expect(sleep.exitStatus == nil)
        sleep.send(SIGKILL)
        #expect(try await sleep.waitForExit() == 128 + SIGKILL)
    }
}
