import ArgumentParser
import Foundation

/// Files that are written all or none.
struct NewFiles {
    struct File {
        var name: String
        var text: String
    }

    let folder: String
    /// Whether a file that is there may be replaced.
    let overwrites: Bool

    /// Makes the folder if it is not there.
    func write(_ files: [File]) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ValidationError("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        let present = files.map { path($0) }.filter { FileManager.default.fileExists(atPath: $0) }
        if !overwrites, !present.isEmpty {
            throw ValidationError(
                "\(present.joined(separator: ", ")) is there already; give --force to write over it, or another folder")
        }
        var unfinished: [String] = []
        var linked: [String] = []
        do {
            for file in files {
                let temporary = path(file) + ".\(ProcessInfo.processInfo.processIdentifier)"
                unfinished.append(temporary)
                try Data(file.text.utf8).write(to: URL(fileURLWithPath: temporary))
            }
            for (file, temporary) in zip(files, unfinished) {
                // A link does not replace what came in between; a rename does.
                guard (overwrites ? rename(temporary, path(file)) : link(temporary, path(file))) == 0 else {
                    throw ValidationError("cannot write \(path(file)): \(String(cString: strerror(errno)))")
                }
                if !overwrites { linked.append(path(file)) }
            }
        } catch {
            for path in linked + unfinished { unlink(path) }
            throw error
        }
        for path in unfinished { unlink(path) }
    }

    private func path(_ file: File) -> String { folder + "/" + file.name }
}
