/// Certificates, or a key, in PEM: in the configuration itself, or in a file that may get others at any time.
public enum PEM: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    case bytes([UInt8])
    /// The file's path.
    case file(String)

    public var description: String {
        switch self {
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .file(let path): path
        }
    }

    /// A key is a secret.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
