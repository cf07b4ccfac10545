/// A message for an address, to be kept until it is delivered.
public enum OutgoingMessage: Sendable, Hashable {
    /// A task is to be had at a version.
    case execute(TaskReference, address: String)
    /// A promise is settled; the message is made of its record when it is sent.
    case unblock(promise: String, address: String)

    /// Of two messages of one key only the later one matters.
    var key: String {
        switch self {
        case .execute(let task, _): "execute \(task.id)"
        case .unblock(let promise, let address): "unblock \(address) \(promise)"
        }
    }

    var address: String {
        switch self {
        case .execute(_, let address), .unblock(_, let address): address
        }
    }

    var promise: String {
        switch self {
        case .execute(let task, _): task.id
        case .unblock(let promise, _): promise
        }
    }
}
