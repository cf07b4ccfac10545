import Foundation
import TestSupport
import Testing

@Suite("The Containerfile")
struct ContainerfileTests {
    /// What Debian's base image has by itself.
    private static let base: Set<String> = ["libc6", "libgcc-s1", "libstdc++6", "zlib1g"]

    @Test("the image has the package of each library that the program is linked with")
    func libraries() async throws {
        let file = try TestServers.scripts + "/../Containerfile"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let image = try #require(text.components(separatedBy: "\nFROM ").last)
        let installed = Set(image.split(whereSeparator: \.isWhitespace).map(String.init))

        // The program of the tests has Swift's own libraries beside it; in the image they are linked in.
        let header = try await Program.output("readelf", ["--dynamic", "--wide", try TestServers.sluice])
        let names = header.matches(of: #/\(NEEDED\).*\[(.+)\]/#).map { String($0.1) }
        let system = names.filter { name in
            !["libswift", "lib_", "libFoundation", "libdispatch", "libBlocksRuntime"].contains { name.hasPrefix($0) }
        }
        #expect(system.contains { $0.hasPrefix("libpq") } && system.count < names.count, "\(names)")
        for name in system where !name.hasPrefix("ld-linux") {
            let owner = try await Program.output("sh", ["-c", "dpkg-query --search '*/\(name)' | head -n 1"])
            let package = String(owner.prefix { $0 != ":" })
            #expect(Self.base.contains(package) || installed.contains(package), "\(name) is of \(package)")
        }
    }
}
