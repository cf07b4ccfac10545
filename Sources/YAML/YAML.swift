/// Text in YAML or JSON to a tree of values with their places, and from there to `Decodable` types.
///
/// Scalars are read by the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>): only `true` and
/// `false` are booleans, and what is quoted is a string. Since Kubernetes speaks JSON, a mapping's keys are strings.
public enum YAML {
    /// Every document of `text`, in order. Empty documents, such as one that holds a comment only, are left out.
    ///
    /// - Throws: ``YAMLError`` where the text is not YAML, repeats a key, or expands to more than its bounds allow.
    public static func documents(in text: String) throws(YAMLError) -> [YAMLValue] {
        let parser = try EventParser(text)
        var builder = TreeBuilder(parser: parser)
        return try builder.documents()
    }

    /// The only document of `text`.
    ///
    /// - Throws: ``YAMLError``, also where there are none or several.
    public static func document(in text: String) throws(YAMLError) -> YAMLValue {
        let documents = try documents(in: text)
        guard let first = documents.first else {
            throw YAMLError(.syntax, "there is no document: the text is empty or holds comments only")
        }
        guard documents.count == 1 else {
            throw YAMLError(
                .syntax, "there are \(documents.count) documents where one is expected", mark: documents[1].mark)
        }
        return first
    }
}
