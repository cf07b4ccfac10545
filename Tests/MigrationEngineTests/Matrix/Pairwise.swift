/// Combinations of factors in which every two values of different factors come together at least once: greedy, after
/// Cohen, Dalal, Fredman and Patton, "The AETG system", 1997, and the same each time.
enum Pairwise {
    /// - Parameter levels: how many values each factor has, the largest first.
    static func combinations(_ levels: [Int]) -> [[Int]] {
        var open: Set<Pair> = []
        for (first, second) in pairs(levels.count) {
            for a in 0..<levels[first] {
                for b in 0..<levels[second] { open.insert(Pair(first, a, second, b)) }
            }
        }
        var combinations: [[Int]] = []
        while let seed = open.min() {
            var chosen: [Int: Int] = [seed.first: seed.a, seed.second: seed.b]
            for factor in levels.indices where chosen[factor] == nil {
                let gains = (0..<levels[factor]).map { value in
                    chosen.count { open.contains(Pair($0.key, $0.value, factor, value)) }
                }
                // Turning with the number of combinations, so that values which gain the same take turns.
                let turn = combinations.count % levels[factor]
                chosen[factor] = gains.indices.max {
                    (gains[$0], ($0 + turn) % levels[factor]) < (gains[$1], ($1 + turn) % levels[factor])
                }
            }
            for (first, second) in pairs(levels.count) {
                open.remove(Pair(first, chosen[first]!, second, chosen[second]!))
            }
            combinations.append(levels.indices.map { chosen[$0]! })
        }
        return combinations
    }

    /// Every combination.
    static func all(_ levels: [Int]) -> [[Int]] {
        levels.reduce([[]]) { combinations, count in
            combinations.flatMap { combination in (0..<count).map { combination + [$0] } }
        }
    }

    private static func pairs(_ count: Int) -> [(Int, Int)] {
        (0..<count).flatMap { first in ((first + 1)..<max(first + 1, count)).map { (first, $0) } }
    }

    private struct Pair: Hashable, Comparable {
        let first, a, second, b: Int

        init(_ first: Int, _ a: Int, _ second: Int, _ b: Int) {
            (self.first, self.a) = first < second ? (first, a) : (second, b)
            (self.second, self.b) = first < second ? (second, b) : (first, a)
        }

        static func < (left: Pair, right: Pair) -> Bool {
            (left.first, left.second, left.a, left.b) < (right.first, right.second, right.a, right.b)
        }
    }
}
