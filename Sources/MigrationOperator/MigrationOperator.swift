/// The custom resource `Migration`, the decisions about it, and the gates that hold workloads until their data is proven.
///
/// Decisions are pure: ``reconcile(_:_:)`` and ``decideGate(_:)`` take what was observed and return actions; the
/// controllers in `Controller/` only read and perform.
enum SluiceName {
    static let group = "sluice.dev"
    static let finalizer = "sluice.dev/compensation"

    /// On a pod template: the migrations that it needs.
    static let requires = "sluice.dev/requires"
    /// On a pod template: the migrations of which its pods write both sides.
    static let provides = "sluice.dev/provides"
    /// On a pod template: rolls out in spite of a closed gate, for the reason given.
    static let bypass = "sluice.dev/bypass"
    /// On a workload, by the stamp: `open` or `closed`.
    static let gate = "sluice.dev/gate"
    /// On a workload, by the stamp: the plans that were proven when it was written.
    static let verified = "sluice.dev/verified"
    /// On a workload, by the stamp: the templates that were let through, each with the plans it was let through for.
    static let released = "sluice.dev/released"
    /// On a workload, by the hold: tells our pause from a person's.
    static let held = "sluice.dev/held"
    /// On a workload, by the hold: what the held field said before, where that is not the default.
    static let heldFrom = "sluice.dev/held-from"
    /// How the hold's text begins where the webhook wrote it.
    static let webhookMark = "webhook: "

    /// kubectl's own: the manifest as `kubectl apply` last sent it.
    static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// Field managers. Each applies a whole of its own, so that none drops what another one set.
    static let statusManager = "sluice"
    static let finalizerManager = "sluice-finalizer"
    static let stampManager = "sluice-stamp"
    static let holdManager = "sluice-hold"
}
