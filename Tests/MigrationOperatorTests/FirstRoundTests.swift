import KubernetesClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import MigrationOperator

@Suite("The first round of a new leader")
struct FirstRoundTests {
    @Test("is told once, when each that was listed has been looked at")
    func round() {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
        let round = FirstRound(logger: logger)
        let keys = ["a", "b"].map { ObjectKey($0, in: "shop") }
        round.looked(at: keys[0])
        round.begin(with: keys)
        round.looked(at: keys[0])
        round.looked(at: keys[0])
        round.looked(at: ObjectKey("c", in: "shop"))
        #expect(lines.withLock { $0 } == [])
        round.looked(at: keys[1])
        round.looked(at: keys[1])
        #expect(lines.withLock { $0.count } == 1)
        #expect(lines.withLock { $0.first?.contains("migrations=2") } == true)
    }

    @Test("is over at once where there are none")
    func none() {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
        FirstRound(logger: logger).begin(with: [])
        #expect(lines.withLock { $0.first?.contains("migrations=0") } == true)
    }
}
