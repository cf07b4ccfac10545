import Testing

@testable import Backfill

@Suite("ranges of a walk")
struct WalkRangesTests {
    private static let file = HeapFile(relation: 16_384, filenode: 16_390)

    private func ranges(_ bounds: [(lower: [String]?, upper: [String]?)], of file: HeapFile? = nil) -> [Checkpoint] {
        bounds.enumerated().map { Checkpoint(range: $0, file: file, lower: $1.lower, upper: $1.upper) }
    }

    @Test("are whole when they follow one another from the beginning to the end")
    func whole() {
        let keys: [(lower: [String]?, upper: [String]?)] = [(nil, ["0"]), (["0"], ["5", "a"]), (["5", "a"], nil)]
        #expect(WalkRanges.areWhole(ranges(keys)))
        #expect(WalkRanges.areWhole(ranges(keys.reversed())))
        #expect(WalkRanges.areWhole(ranges([(nil, nil)])))
        let pages: [(lower: [String]?, upper: [String]?)] = [(["0"], ["64"]), (["64"], ["128"]), (["128"], nil)]
        #expect(WalkRanges.areWhole(ranges(pages, of: Self.file)))
    }

    @Test("are not when one of them is missing, wherever it was, or is there twice")
    func missing() {
        let keys: [(lower: [String]?, upper: [String]?)] = [(nil, ["3"]), (["3"], ["5"]), (["5"], nil)]
        let pages: [(lower: [String]?, upper: [String]?)] = [(["0"], ["64"]), (["64"], ["128"]), (["128"], nil)]
        for (bounds, file) in [(keys, nil), (pages, Self.file)] as [([(lower: [String]?, upper: [String]?)], HeapFile?)]
        {
            for index in bounds.indices {
                var left = bounds
                left.remove(at: index)
                #expect(!WalkRanges.areWhole(ranges(left, of: file)), "\(index)")
                #expect(!WalkRanges.areWhole(ranges(bounds + [bounds[index]], of: file)), "\(index) twice")
            }
        }
        #expect(!WalkRanges.areWhole([]))
    }
}
