/// A message that `NOTIFY` sent. A hint only: those sent while no connection listened are lost.
public struct PostgresNotification: Sendable, Hashable {
    public let channel: String
    public let payload: String
    /// The backend that sent it.
    public let processID: Int32
}
