/// One line of the log: a chunk that a worker is about to send.
struct ChunkAttempt: Hashable {
    /// Whose range of keys: a range is one worker's at a time.
    struct Place: Hashable {
        let step: String
        let range: Int
    }

    let place: Place
    let epoch: Int
    /// The key after which it begins, and the last of its keys, as the log writes them; `[]` is an end of the table.
    let after: String
    let upTo: String

    var step: String { place.step }

    static func all(in log: String) -> [ChunkAttempt] {
        log.split(separator: "\n").compactMap { ChunkAttempt($0) }
    }

    init?(_ line: Substring) {
        let pattern = /after=(.*) epoch=(\d+) .*range=(\d+) step=(\S+) upTo=(.*) \[.*\] chunk$/
        guard let match = line.firstMatch(of: pattern), let epoch = Int(match.2), let range = Int(match.3) else {
            return nil
        }
        place = Place(step: String(match.4), range: range)
        self.epoch = epoch
        after = Self.withoutFileEnd(match.1)
        upTo = Self.withoutFileEnd(match.5)
    }
}

extension ChunkAttempt {
    /// A range of pages without an end has that of its file with each position: the same in all of them.
    private static func withoutFileEnd(_ position: Substring) -> String {
        String(position).replacing(/, "\/\d+"/, with: "")
    }
}

extension [ChunkAttempt] {
    /// In each range, and of each worker but the first there, where it began what an earlier one had begun already. One worker
    /// may begin a chunk several times, each time that it gave way to a lock.
    var begunAgain: [(place: ChunkAttempt.Place, epoch: Int, starts: Set<String>)] {
        Dictionary(grouping: self, by: \.place).flatMap { place, inPlace in
            var before: Set<String> = []
            return Dictionary(grouping: inPlace, by: \.epoch).sorted { $0.key < $1.key }.map { epoch, inEpoch in
                let starts = Set(inEpoch.map(\.after))
                defer { before.formUnion(starts) }
                return (place, epoch, starts.intersection(before))
            }
        }
    }
}
