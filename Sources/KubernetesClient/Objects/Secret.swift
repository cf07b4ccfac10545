internal import Foundation

/// A Secret. Its description leaves out what it holds.
public struct Secret: KubernetesObject, Hashable, CustomStringConvertible {
    public static let resource = ResourceDescriptor(group: "", version: "v1", plural: "secrets", kind: "Secret")

    public var metadata: ObjectMeta
    public var type: String?
    /// Base64, as it is sent.
    public var data: [String: String]?

    /// The bytes under `key`, or nil where there are none or they are not base64.
    public func bytes(_ key: String) -> [UInt8]? {
        data?[key].flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }

    /// The text under `key`, or nil where there is none or it is not UTF-8.
    public func string(_ key: String) -> String? {
        bytes(key).flatMap { String(validating: $0, as: UTF8.self) }
    }

    public var description: String {
        "Secret \(key) with keys \((data ?? [:]).keys.sorted().joined(separator: ", "))"
    }
}
