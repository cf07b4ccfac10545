/// Why a test could not go on: what was expected of a server or a program, and what was found.
public struct TestFailure: Error, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
