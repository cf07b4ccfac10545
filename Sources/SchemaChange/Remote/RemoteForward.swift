/// Who computes the new columns where SQL cannot: a function of a worker's, in whatever language, asked by durable promises
/// for one chunk of rows after the other. `docs/remote-steps.md` says what it is asked, and what it has to answer.
public struct RemoteForward: Codable, Hashable, Sendable {
    /// The address of the workers: `poll://any@group`, or a URL.
    public var target: String
    /// The name under which they know the function.
    public var function: String
    /// After how long without an answer a chunk is asked for again, 60 s unless it is said.
    public var timeout: SpecDuration?

    public init(target: String, function: String, timeout: SpecDuration? = nil) {
        self.target = target
        self.function = function
        self.timeout = timeout
    }

    public var timeLimit: Duration { timeout?.duration ?? .seconds(60) }

    private static let schemes = ["poll://any@", "poll://uni@", "http://", "https://"]

    /// What can be seen without asking anybody.
    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        func add(_ field: String, _ message: String) {
            flaws.append(PlanError(.invalidChange, at: "\(path).\(field)", message))
        }
        let isAddress = Self.schemes.contains { target.hasPrefix($0) && target.utf8.count > $0.utf8.count }
        if !isAddress || target.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            add("target", "\"\(target)\" is no address of workers; write it like poll://any@names")
        }
        if function.isEmpty { add("function", "it is empty; name the function that the workers have registered") }
        if timeLimit < .seconds(1) || timeLimit > .seconds(24 * 3600) {
            add("timeout", "\(timeLimit) is out of bounds; choose between 1s and 24h; 60s is usual")
        }
        return flaws
    }
}
