import ArgumentParser

/// The arguments as the operating system has them: bytes.
enum ArgumentText {
    /// Throws when an argument is not UTF-8. Swift would put U+FFFD for what is not, so that of two ids that differ there one
    /// would stand for both.
    static func check() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index], String(validatingCString: bytes) == nil else { continue }
            throw ValidationError("argument \(index) is not valid UTF-8")
        }
    }
}
