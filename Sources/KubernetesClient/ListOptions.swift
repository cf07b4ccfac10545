/// Which objects to list, and how fresh the answer must be.
public struct ListOptions: Sendable {
    public var labelSelector: String?
    public var fieldSelector: String?
    /// Nil: as fresh as can be. `0`: whatever the server has at hand. Another: at least as fresh as that.
    public var resourceVersion: String?
    /// How many objects come in one answer; nil for all. Without effect where a version is given.
    public var pageSize: Int?

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil,
        pageSize: Int? = 500
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.pageSize = pageSize
    }

    var query: [(name: String, value: String)] {
        var query: [(String, String)] = []
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        if let resourceVersion { query.append(("resourceVersion", resourceVersion)) }
        if let pageSize { query.append(("limit", String(pageSize))) }
        return query
    }
}
