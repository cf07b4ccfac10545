/// A version of an application, as its pods' annotations tell it.
enum ApplicationVersion: Sendable {
    /// Writes both sides by itself, or needs nothing of the old one any more.
    case writesBothSides
    /// Needs the new side alone.
    case needsNewSide

    /// Whether pods with these annotations are of it, as far as `migration` is concerned.
    func isDeclared(by annotations: [String: String], for migration: String) -> Bool {
        // Who requires the columns only, by `@Expand`, still uses the old ones.
        let isNew = Requirement.parse(annotations[SluiceName.requires])
            .contains(Requirement(migration: migration, level: .verified))
        switch self {
        case .needsNewSide: return isNew
        case .writesBothSides:
            let provided = (annotations[SluiceName.provides] ?? "").split(separator: ",").map(\.trimmingSpaces)
            return isNew || provided.contains(migration)
        }
    }

    /// How a template declares it.
    func annotation(for migration: String) -> String {
        switch self {
        case .needsNewSide: "\(SluiceName.requires): \(migration)"
        case .writesBothSides: "\(SluiceName.provides): \(migration)"
        }
    }
}
