import TestSupport
import Testing

@testable import Backfill

@Suite("a walk by pages")
struct PagedPositionTests {
    private struct Step: Hashable {
        let page: Int64
        let bucket: Int?
    }

    /// Walks a range in chunks of random sizes, and is killed now and then: what is known then is what was stored.
    private func walk(
        _ range: ClosedRange<Int64>, of pages: Int64, killing: Bool, by random: inout SplitMix
    ) -> [Step] {
        var steps: [Step] = []
        var position: PagedPosition? = PagedPosition(page: range.lowerBound, of: pages)
        while let here = position {
            let end = here.chunkEnd(Int.random(in: 1...40, using: &random), last: range.upperBound)
            for page in here.page..<end { steps.append(Step(page: page, bucket: here.bucket?.number)) }
            position = here.after(end, last: range.upperBound)
            if killing, Bool.random(using: &random) {
                position = position.flatMap { PagedPosition($0.stored, of: pages) }
            }
        }
        return steps
    }

    @Test("passes every page once for each part of its rows, killed or not", arguments: 0..<50 as Range<UInt64>)
    func covers(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let pages = Int64.random(in: 1...2000, using: &random)
        let lower = Int64.random(in: 0..<pages, using: &random)
        let range = lower...Int64.random(in: lower...pages, using: &random)
        let steps = walk(range, of: pages, killing: seed % 2 == 0, by: &random)
        let buckets: [Int?] = pages < 64 ? [nil] : [0, 1, 2, nil]
        let expected = (range.lowerBound..<range.upperBound).flatMap { page in
            buckets.map { Step(page: page, bucket: $0) }
        }
        #expect(steps.count == expected.count)
        #expect(Set(steps) == Set(expected))
    }

    @Test("comes back to a page for all that is left when it has passed it for each part, in this order")
    func order() {
        var random = SplitMix(seed: 7)
        let steps = walk(0...1000, of: 1000, killing: false, by: &random)
        for (page, ofPage) in Dictionary(grouping: steps, by: \.page) {
            #expect(ofPage.map(\.bucket) == [0, 1, 2, nil], "page \(page)")
        }
    }

    @Test("stores the first page that is not done, where a window begins, as a walk in one pass does")
    func stored() {
        let position = PagedPosition(page: 12, of: 1000)
        #expect(position.stored == ["12"])
        #expect(PagedPosition(["12"], of: 1000) == position)
        #expect(PagedPosition(["12"], of: 10)?.bucket == nil)
        #expect(position.after(20, last: 1000)?.stored == ["20", "0", "12"])
        #expect(position.after(1000, last: 1000)?.stored == ["12", "1", "12", "1000"])
    }

    @Test("knows where its file ended, wherever it stands, if its range has no end of its own")
    func fileEnd() {
        var random = SplitMix(seed: 11)
        var position: PagedPosition? = PagedPosition(page: 12, of: 1000, isOpen: true)
        #expect(position?.stored == ["12", "/1000"])
        while let here = position {
            // Meanwhile the file has become longer.
            let known = PagedPosition(here.stored, of: 1600)
            #expect(known?.fileEnd == 1000 && known?.stored == here.stored)
            position = here.after(here.chunkEnd(Int.random(in: 1...40, using: &random), last: 1000), last: 1000)
        }
    }

    @Test("begins a window again where the file has fewer pages than it had")
    func truncated() {
        for stored in [["40", "2", "12", "50"], ["40", "0", "12"]] {
            let position = PagedPosition(stored, of: 60)
            #expect(position?.stored == ["12"])
            #expect(position?.bucket == nil)
        }
    }

    @Test("is told of no other array", arguments: [[], ["a"], ["1", "x", "2"]])
    func malformed(_ stored: [String]) {
        #expect(PagedPosition(stored, of: 100) == nil)
    }
}
