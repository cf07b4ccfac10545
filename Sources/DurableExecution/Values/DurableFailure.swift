public import DurablePromises

/// How a step or a function failed, as it is kept: the name of the error's type and its text.
///
/// This is what is thrown where a failed step is waited for, the first time as well as on replay. A function that wants to
/// tell its callers more throws one itself.
public struct DurableFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var name: String
    public var message: String

    public init(name: String = "Error", message: String) {
        self.name = name
        self.message = message
    }

    /// What is kept of any error.
    public init(_ error: any Error) {
        if let failure = error as? DurableFailure {
            self = failure
        } else {
            self.init(name: String(describing: type(of: error)), message: "\(error)")
        }
    }

    /// What a promise is rejected with, as Resonate's SDKs write an error.
    public var promiseValue: PromiseValue { Payload.encode(self) }

    public var description: String { message }
}
