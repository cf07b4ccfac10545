/// The name of a durable function, with what it takes and gives: what both who registers it and who calls it know.
///
/// A version is part of the name. An execution stays with the version that it began with.
public struct DurableFunction<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    public let name: String
    public let version: Int

    public init(_ name: String, version: Int = 1) {
        self.name = name
        self.version = version
    }
}
