/// The conditions of a Migration, in the order in which they are listed.
public enum MigrationCondition: String, CaseIterable, Sendable {
    /// What was asked for is there, as far as a rollout needs it.
    case ready = "Ready"
    /// It is under way (kstatus).
    case reconciling = "Reconciling"
    /// It does not go on until somebody mends the spec or the data (kstatus).
    case stalled = "Stalled"
    /// The new columns exist.
    case expanded = "Expanded"
    /// What either version writes reaches both sides.
    case dualWriting = "DualWriting"
    /// Every row was compared, for the present plan, and the triggers that keep it true are in place.
    case verified = "Verified"
    /// Workloads that require it may roll out.
    case gateOpen = "GateOpen"
    /// The old columns are archived.
    case contracted = "Contracted"
    /// The backfill is held, though nothing is wrong with it: something of the server's is too much.
    case throttled = "Throttled"
}
