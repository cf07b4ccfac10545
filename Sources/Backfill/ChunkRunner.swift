internal import Logging
internal import PostgreSQL

/// What a chunk is of: where it begins, where it ends, and how its rows are told from all others.
struct Chunk {
    /// The range of the walk that it is a part of.
    let range: Int
    /// As the checkpoint has it before and after; nil for the table's start and end.
    let after: [String]?
    let upTo: [String]?
    /// Quoted: the table, or one partition of it.
    let table: String
    /// Over the table's columns, with parameters from ``ChunkStatement/firstFree`` on.
    let condition: String
    let values: [PostgresValue]
    /// The rows that it passes; nil for those that it finds.
    let rows: Int64?
    let isLast: Bool
    /// Of a range of pages: what must still be there.
    var file: HeapFile?
    /// Whether rows of it, or before it, may be left undone, so that the checkpoint stays where it is.
    var isPart = false
}

extension TableWalk.Place {
    /// A chunk that is about to be sent.
    func log(range: Int, after: [String]?, upTo: [String]?, to logger: Logger) {
        logger.debug(
            "chunk",
            metadata: [
                "step": "\(step)", "range": "\(range)", "epoch": "\(fence.epoch)", "after": "\(after ?? [])",
                "upTo": "\(upTo ?? [])",
            ])
    }
}

/// Does chunks of one walk, each in one statement that commits by itself.
struct ChunkRunner: Sendable {
    let statement: ChunkStatement
    let place: TableWalk.Place
    let heapOnly: HeapOnlyShare
    let logger: Logger

    /// - Throws: ``FenceLost``; ``HeapFileMoved``; ``CheckpointLost``; `PostgresError`.
    func run(_ chunk: Chunk, on connection: PostgresConnection) async throws -> ChunkTally {
        place.log(range: chunk.range, after: chunk.after, upTo: chunk.upTo, to: logger)
        let row = try await connection.query(
            statement.sql(of: chunk),
            [
                .text(place.fence.migration), .integer(place.fence.epoch), .integer(place.walk), .text(place.step),
                .integer(Int64(chunk.range)), position(of: chunk), .boolean(chunk.isLast && !chunk.isPart),
                .optional(chunk.rows), .optional(chunk.file?.relation), .optional(chunk.file?.filenode),
            ] + chunk.values
        ).row()
        guard try row.boolean("fenced") else { throw FenceLost(place.fence) }
        guard try row.boolean("here") else { throw HeapFileMoved() }
        guard try row.boolean("moved") else { throw CheckpointLost() }
        let tally = try ChunkTally(row)
        if row["heap_only"] != nil { heapOnly.wrote(tally.rows, heapOnly: try row.integer("heap_only")) }
        return tally
    }

    private func position(of chunk: Chunk) -> PostgresValue {
        guard !chunk.isPart, let upTo = chunk.upTo else { return .null }
        return .textArray(upTo)
    }
}

/// Somebody has deleted the checkpoint of a walk that is under way: what it said of the rows is not known any more.
struct CheckpointLost: Error {}
