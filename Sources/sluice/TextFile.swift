import ArgumentParser
import Foundation

/// A file that somebody names in an argument.
enum TextFile {
    /// The text in a file, or in standard input when the path is `-`.
    static func read(_ path: String) throws -> String {
        let bytes = path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try contents(of: path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ValidationError("\(path == "-" ? "standard input" : path) is not valid UTF-8")
        }
        return text
    }

    /// Whatever it is that the path names: a pipe has no size, and Foundation's words for a folder are a number.
    private static func contents(of path: String) throws -> Data {
        guard let file = fopen(path, "r") else { throw unreadable(path) }
        defer { fclose(file) }
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            data.append(contentsOf: buffer[..<count])
            if count > 0 { continue }
            guard ferror(file) == 0 else { throw unreadable(path) }
            return data
        }
    }

    private static func unreadable(_ path: String) -> ValidationError {
        ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
}
