/// What goes with a promise that is removed.
enum PromiseRemoval {
    /// The end of a statement that has removed promises, whose ids are in `removed`. Messages go in the order of their keys, as
    /// they are written; one that was to tell of a promise is dropped when its turn comes.
    static let ofAttachments = """
        tasks AS (
            DELETE FROM sluice.task t USING removed r WHERE t.id = r.id
        ), messages AS (
            DELETE FROM sluice.message m WHERE m.key = ANY (ARRAY(
                SELECT l.key FROM sluice.message l JOIN removed r ON l.key = ('execute ' || r.id) COLLATE "C"
                ORDER BY l.key FOR UPDATE OF l
            ))
        )
        DELETE FROM sluice.timer t USING removed r WHERE t.kind IN ('promise', 'task') AND t.id = r.id
        """
}
