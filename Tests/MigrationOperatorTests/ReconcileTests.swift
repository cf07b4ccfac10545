import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

@Suite("Reconciling a Migration")
struct ReconcileTests {
    @Test("a new Migration gets its finalizer before its worker")
    func begins() {
        let actions = reconcile(migration(finalizer: false), observed())
        #expect(actions.deeds == [.addFinalizer, .startWorker(.backfill)])
    }

    @Test("the worker walks to the phase that is asked for", arguments: Phase.allCases)
    func phase(_ phase: Phase) {
        let actions = reconcile(migration(#""phase": "\#(phase.rawValue)""#), observed())
        #expect(actions.deeds == [.startWorker(phase)])
    }

    @Test("a worker of an older generation, of another phase or of another object is replaced")
    func replaced() {
        let old = worker(report(.expand, .working(reason: "Filling", message: "")), generation: 1)
        #expect(reconcile(migration(generation: 2), observed(old)).deeds == [.stopWorker, .startWorker(.backfill)])
        let phase = worker(nil, to: .contract)
        #expect(reconcile(migration(), observed(phase)).deeds == [.stopWorker, .startWorker(.backfill)])
        var other = worker(nil)
        other.uid = "u0"
        #expect(reconcile(migration(), observed(other)).deeds == [.stopWorker, .startWorker(.backfill)])
    }

    @Test("a spec that cannot work stops the worker and is told as Stalled, with the field")
    func invalid() throws {
        let bad = migration(#""dependsOn": ["split"]"#)
        let actions = reconcile(bad, observed(worker(nil)))
        #expect(actions.deeds == [.stopWorker])
        let status = try #require(actions.status)
        #expect(status.text(.stalled) == "True InvalidSpec")
        #expect(status.text(.ready) == "False InvalidSpec")
        #expect(status.text(.reconciling) == "False InvalidSpec")
        #expect(status.condition(.stalled)?.message?.contains("spec.dependsOn[0]") == true)
        #expect(actions.events == ["InvalidSpec"])
    }

    @Test("suspending stops the worker and says so, and neither reconciles nor stalls")
    func suspended() throws {
        let actions = reconcile(migration(#""suspend": true"#, generation: 2), observed(worker(nil)))
        #expect(actions.deeds == [.stopWorker])
        let status = try #require(actions.status)
        #expect(status.text(.ready) == "False Suspended")
        #expect(status.text(.reconciling) == "False Suspended")
        #expect(status.text(.stalled) == "False NotStalled")
    }

    @Test("a Migration begins when those it depends on are verified, and names them until then")
    func dependencies() throws {
        let waiting = migration(#""dependsOn": ["a", "b"]"#, finalizer: false)
        let actions = reconcile(waiting, observed { $0.dependencies = ["a": .notVerified("Expand"), "b": .missing] })
        #expect(actions.deeds == [])
        let status = try #require(actions.status)
        #expect(status.text(.ready) == "False WaitingForDependencies")
        #expect(
            status.condition(.ready)?.message
                == "waits for a, which is not verified (Expand); and for b, which does not exist")
        let free = observed { $0.dependencies = ["a": .verified, "b": .verified] }
        #expect(reconcile(waiting, free).deeds == [.addFinalizer, .startWorker(.backfill)])
    }

    @Test("a circle of dependencies is said")
    func circle() throws {
        let one = migration(#""dependsOn": ["b"]"#)
        let two = migration(#""dependsOn": ["split"]"#, name: "b")
        let graph = DependencyGraph { ["split": one, "b": two][$0] }
        #expect(graph.cycle(through: "split") == ["split", "b", "split"])
        let actions = reconcile(
            one,
            observed {
                $0.dependencies = ["b": .verified]; $0.dependencyCycle = graph.cycle(through: "split")
            })
        #expect(actions.status?.condition(.ready)?.message?.contains("split → b → split") == true)
    }

    @Test("a missing Secret is said and tried again, later each time")
    func secret() throws {
        let waits = [(1, 1.0), (2, 2.0), (3, 4.0), (9, 30.0)]
        for (attempts, seconds) in waits {
            let actions = reconcile(
                migration(),
                observed {
                    $0.databaseFailure = DatabaseFailure(
                        reason: DatabaseFailure.secretNotFound, message: "there is no Secret db", at: now,
                        attempts: attempts)
                })
            #expect(actions.deeds == [])
            #expect(actions.status?.text(.ready) == "False SecretNotFound")
            #expect(actions.requeue == .seconds(seconds))
        }
        let due = observed {
            $0.databaseFailure = DatabaseFailure(
                reason: DatabaseFailure.secretNotFound, message: "", at: now.addingTimeInterval(-31), attempts: 9)
        }
        #expect(reconcile(migration(), due).deeds == [.startWorker(.backfill)])
    }

    @Test("a run that waits or is stalled is tried again, later each time")
    func again() {
        let waiting = report(.backfill, .waiting(reason: "NoRolloutsNamed", message: "name them"))
        let contract = migration(#""phase": "Contract""#)
        let early = worker(waiting, to: .contract, endedAgo: 1, fruitless: 1)
        #expect(reconcile(contract, observed(early)).deeds == [])
        #expect(reconcile(contract, observed(early)).requeue == .seconds(1))
        let due = worker(waiting, to: .contract, endedAgo: 3, fruitless: 1)
        #expect(reconcile(contract, observed(due)).deeds == [.startWorker(.contract)])
        let stalled = report(.dualWrite, .stalled(reason: "ForwardFailed", message: "row 7"), proven: false)
        let rest = worker(stalled, endedAgo: 5, fruitless: 3)
        #expect(reconcile(migration(), observed(rest)).requeue == .seconds(15))
    }

    @Test("what is settled is only looked at: nothing is written when nothing changes")
    func idle() throws {
        let done = worker(report(.backfill), endedAgo: 10)
        let first = migration()
        let told = settled(first, observed(done))
        #expect(told.status?.text(.ready) == "True GateOpen")
        let actions = reconcile(told, observed(done))
        #expect(actions == [.requeue(after: .seconds(50))])
        // The look itself writes nothing, either.
        let due = observed(worker(report(.backfill), endedAgo: 61))
        #expect(reconcile(told, due) == [.checkProof])
        let looked = observed(worker(report(.backfill), endedAgo: 61)) {
            $0.proof = ProofReading(.holds(planHash: plan), at: now)
        }
        #expect(reconcile(told, looked) == [.requeue(after: .seconds(60))])
    }

    @Test("after a start of the operator a settled Migration is read from the ledger, and gets no worker")
    func restart() {
        let told = settled(migration(), observed(worker(report(.backfill), endedAgo: 10)))
        #expect(reconcile(told, observed()) == [.readLedger])
        let known = observed { $0.ledger = .known(report(.backfill)) }
        #expect(reconcile(told, known) == [.checkProof])
        let looked = observed {
            $0.ledger = .known(report(.backfill))
            $0.proof = ProofReading(.holds(planHash: plan), at: now)
        }
        #expect(reconcile(told, looked) == [.requeue(after: .seconds(60))])
        // Whoever came to its end died before the walk's promise was settled.
        let unsaid = observed { $0.ledger = .known(report(.backfill, .working(reason: "Pending", message: ""))) }
        #expect(reconcile(told, unsaid).deeds == [.startWorker(.backfill)])
        // The spec has changed while nobody looked.
        var changed = told
        changed.metadata.generation = 2
        #expect(reconcile(changed, observed()) == [.readLedger])
        #expect(reconcile(changed, known).deeds == [.startWorker(.backfill)])
    }

    @Test("in a database that does not know what was proven, nothing is done until somebody says which one is meant")
    func otherDatabase() throws {
        let done = worker(report(.backfill), endedAgo: 100)
        let told = settled(migration(), observed(done))
        let waits = worker(
            report(.backfill, .waiting(reason: "Soaking", message: "")), to: .contract, endedAgo: 60, fruitless: 1)
        var changed = told
        changed.metadata.generation = 2
        let contract = settled(migration(#""phase": "Contract""#), observed(waits))
        #expect(reconcile(contract, observed(waits)) == [.readLedger], "before another run")
        let gone = ProofReading(.none, at: now, of: certificate())
        for (migration, worker) in [(told, nil), (told, done), (changed, nil), (changed, done), (contract, waits)] {
            let other = observed(worker) {
                $0.ledger = .unknown
                $0.proof = gone
            }
            let actions = reconcile(migration, other)
            #expect(actions.deeds == [])
            #expect(actions.requeue == .seconds(60))
            let status = try #require(actions.status)
            #expect(status.text(.stalled) == "True PlanChanged")
            #expect(status.text(.verified) == "False ProofBroken")
            #expect(status.gate == .closed)
            #expect(status.condition(.stalled)?.message?.contains("point the Secret back") == true)
            // Said once, also after a start of the operator.
            #expect(reconcile(settled(migration, other), other) == [.requeue(after: .seconds(60))])
            let restarted = observed { $0.ledger = .unknown }
            #expect(reconcile(settled(migration, other), restarted) == [.requeue(after: .seconds(60))])
            // The Secret may have been pointed back.
            var later = other
            later.now = now.addingTimeInterval(60)
            #expect(reconcile(settled(migration, other), later) == [.readLedger])
            var back = observed { $0.ledger = .known(report(.backfill)) }
            back.worker = worker
            #expect(reconcile(settled(migration, other), back).deeds != [])
        }
    }

    @Test("a database that does not know what was never proven is where it begins")
    func neverProven() {
        let begun = settled(migration(), observed(worker(report(.expand, .working(reason: "Filling", message: "")))))
        #expect(begun.status?.phase == .expand)
        #expect(reconcile(begun, observed { $0.ledger = .unknown }).deeds == [.startWorker(.backfill)])
    }

    @Test("a broken proof closes the gate until a look says that it holds, and a run may mend it")
    func broken() throws {
        let done = worker(report(.backfill), endedAgo: 100)
        let told = settled(migration(), observed(done))
        let reading = ProofReading(.broken(reason: "a trigger is disabled"), at: now, of: certificate())
        let actions = reconcile(told, observed(done) { $0.proof = reading })
        #expect(actions.deeds == [.startWorker(.backfill)])
        let status = try #require(actions.status)
        #expect(status.gate == .closed)
        #expect(status.text(.verified) == "False ProofBroken")
        #expect(status.text(.ready) == "False ProofBroken")
        #expect(actions.events == ["ProofBroken", "GateClosed"])

        // A run that says nothing new of it opens nothing.
        var old = reading
        old.at = now.addingTimeInterval(-5)
        var closed = told
        closed.status = status
        let ran = worker(report(.backfill), endedAgo: 0)
        #expect(reconcile(closed, observed(ran) { $0.proof = old }) == [.checkProof])
        // Nor is there a run after a run.
        #expect(reconcile(closed, observed(ran) { $0.proof = reading }) == [.requeue(after: .seconds(60))])
        let mended = reconcile(
            closed, observed(ran) { $0.proof = ProofReading(.holds(planHash: plan), at: now, of: certificate()) })
        #expect(mended.status?.gate == .open)
        // It was proven anew since.
        var anew = report(.backfill)
        anew.certificate = certificate(at: now.addingTimeInterval(-1))
        let proven = reconcile(closed, observed(worker(anew, endedAgo: 0)) { $0.proof = old })
        #expect(proven.status?.gate == .open)
    }

    @Test(
        "a proof that is gone, or of another plan, closes the gate, and it is walked again",
        arguments: [ProofReading.Result.none, .holds(planHash: "sha256:p2")])
    func gone(_ result: ProofReading.Result) throws {
        let done = worker(report(.backfill), endedAgo: 100)
        let told = settled(migration(), observed(done))
        let reading = ProofReading(result, at: now, of: certificate())
        // What the ledger said before the look is over.
        #expect(reconcile(told, observed(done) { $0.proof = reading }) == [.readLedger])
        let old = observed {
            $0.ledger = .known(report(.backfill))
            $0.ledgerReadAt = now.addingTimeInterval(-1)
            $0.proof = reading
        }
        #expect(reconcile(told, old) == [.readLedger])
        let undone = report(.expand, proven: false)
        let actions = reconcile(
            told,
            observed(done) {
                $0.ledger = .known(undone)
                $0.proof = reading
            })
        #expect(actions.deeds == [.startWorker(.backfill)])
        let status = try #require(actions.status)
        #expect(status.gate == .closed)
        #expect(status.text(.verified) == "False ProofBroken")
        // After a start of the operator there is no run to compare with.
        #expect(reconcile(told, observed { $0.ledger = .known(undone) }) == [.startWorker(.backfill)])
        let unproven = report(.backfill, proven: false)
        #expect(reconcile(told, observed { $0.ledger = .known(unproven) }) == [.startWorker(.backfill)])
        // It was proven anew since.
        var anew = report(.backfill)
        anew.certificate = certificate(at: now.addingTimeInterval(-1))
        let walked = observed(worker(anew, endedAgo: 0)) { $0.proof = reading }
        var closed = told
        closed.status = status
        #expect(reconcile(closed, walked).status?.gate == .open)
    }

    @Test("the archive is dropped when it has been kept for long enough, and then nothing is done any more")
    func purge() throws {
        func kept(until: TimeInterval?) -> MigrationReport {
            var report = report(.contract)
            report.reversibleUntil = until.map { now.addingTimeInterval($0) }
            return report
        }
        let contract = migration(#""phase": "Contract""#)
        func actions(_ report: MigrationReport, endedAgo: TimeInterval) -> [Action] {
            let done = observed(worker(report, to: .contract, endedAgo: endedAgo)) { $0.ledger = .known(report) }
            return reconcile(settled(contract, done), done)
        }
        #expect(actions(kept(until: 20), endedAgo: 10).deeds == [])
        #expect(actions(kept(until: 20), endedAgo: 10).requeue == .seconds(20))
        #expect(actions(kept(until: 500), endedAgo: 10).requeue == .seconds(50), "the proof is looked at first")
        #expect(actions(kept(until: 0), endedAgo: 10) == [.startWorker(.contract)])
        // A run that dropped nothing is not followed by another at once.
        #expect(actions(kept(until: -20), endedAgo: 10).deeds == [])
        #expect(actions(kept(until: -20), endedAgo: 10).requeue == .seconds(50))
        #expect(actions(kept(until: -100), endedAgo: 60) == [.startWorker(.contract)])
        // It has gone.
        let purged = observed(worker(kept(until: nil), to: .contract, endedAgo: 10, previous: kept(until: -20)))
        let told = settled(settled(contract, observed(worker(kept(until: 0), to: .contract, endedAgo: 60))), purged)
        #expect(told.status?.reversibleUntil == nil)
        #expect(reconcile(told, purged) == [.requeue(after: .seconds(50))])
        // After a start of the operator the ledger says when.
        let restarted = observed { $0.ledger = .known(kept(until: -1)) }
        let before = settled(contract, observed(worker(kept(until: -1), to: .contract, endedAgo: 60)))
        #expect(reconcile(before, restarted).deeds == [.startWorker(.contract)])
    }

    @Test("a database that went away while all was settled is said once, until a look has succeeded")
    func away() throws {
        let done = worker(report(.backfill), endedAgo: 100)
        let told = settled(migration(), observed(done))
        let failure = DatabaseFailure(
            reason: DatabaseFailure.unavailable, message: "connection refused", at: now, attempts: 1)
        let first = reconcile(told, observed(done) { $0.databaseFailure = failure })
        let status = try #require(first.status)
        #expect(status.text(.ready) == "False DatabaseUnavailable")
        #expect(status.text(.verified) == "True Verified")
        var away = told
        away.status = status
        var old = failure
        old.at = now.addingTimeInterval(-2)
        #expect(reconcile(away, observed(done) { $0.databaseFailure = old }) == [.checkProof])
    }

    @Test("taking up a wait again changes nothing in the status")
    func noFlapping() {
        let waiting = report(.backfill, .waiting(reason: "RolloutInProgress", message: "1 of 3"))
        let contract = migration(#""phase": "Contract""#)
        let told = settled(contract, observed(worker(waiting, to: .contract, endedAgo: 1, fruitless: 1)))
        #expect(told.status?.text(.contracted) == "False RolloutInProgress")
        #expect(told.status?.text(.ready) == "True GateOpen")
        let silent = worker(nil, to: .contract, previous: waiting, fruitless: 1, startedAgo: 0)
        #expect(reconcile(told, observed(silent)) == [])
        let asking = worker(
            report(.backfill, .working(reason: "Starting", message: "")), to: .contract, previous: waiting,
            fruitless: 1, startedAgo: 1)
        #expect(reconcile(told, observed(asking)) == [])
        let contracting = worker(
            report(.backfill, .working(reason: "Archiving", message: "renames")), to: .contract, previous: waiting,
            fruitless: 1, startedAgo: 10)
        #expect(reconcile(told, observed(contracting)).status?.text(.contracted) == "False Archiving")
    }
}

@Suite("Deleting a Migration")
struct DeletionTests {
    @Test("Orphan stops the worker and lets go")
    func orphan() {
        let gone = migration(deleted: true)
        #expect(reconcile(gone, observed(worker(nil))).deeds == [.stopWorker, .removeFinalizer])
        #expect(reconcile(gone, observed()).events == ["Orphaned"])
    }

    @Test("an Orphan whose spec cannot be read goes all the same")
    func unreadable() {
        let gone = migration(deleted: true, changes: #"[{"nonsense": {}}]"#)
        #expect(reconcile(gone, observed()).deeds == [.removeFinalizer])
    }

    @Test("Compensate walks back to the beginning, forgets, and lets go, in this order")
    func compensate() throws {
        let gone = migration(#""deletionPolicy": "Compensate""#, generation: 2, deleted: true)
        #expect(reconcile(gone, observed(worker(nil))).deeds == [.stopWorker, .startWorker(.initial)])
        #expect(reconcile(gone, observed()) == [.readLedger])
        #expect(
            reconcile(gone, observed { $0.ledger = .known(report(.backfill)) }).deeds == [.startWorker(.initial)])
        let waiting = report(.backfill, .waiting(reason: "WaitingForDependents", message: "Deployment api"))
        let held = reconcile(
            gone, observed(worker(waiting, to: .initial, generation: 2, endedAgo: 1, fruitless: 1)))
        #expect(held.deeds == [])
        #expect(held.status?.text(.ready) == "False WaitingForDependents")
        #expect(held.status?.gate == .closed)
        let done = reconcile(gone, observed(worker(report(.initial), to: .initial, generation: 2, endedAgo: 0)))
        #expect(done.deeds == [.forget, .removeFinalizer])
        #expect(done.events == ["Compensated"])
    }

    @Test("what never reached the database is let go without a walk")
    func unknown() {
        let gone = migration(#""deletionPolicy": "Compensate""#, deleted: true)
        #expect(reconcile(gone, observed { $0.ledger = .unknown }).deeds == [.removeFinalizer])
    }

    @Test("without its Secret it waits, but for a namespace that goes away, or when it never reached its database")
    func withoutSecret() {
        let untouched = migration(#""deletionPolicy": "Compensate""#, deleted: true)
        let failure = DatabaseFailure(reason: DatabaseFailure.secretNotFound, message: "", at: now, attempts: 1)
        let never = reconcile(untouched, observed { $0.databaseFailure = failure })
        #expect(never.deeds == [.removeFinalizer])
        #expect(never.events == ["NothingToUndo"])
        let away = DatabaseFailure(reason: DatabaseFailure.unavailable, message: "", at: now, attempts: 1)
        #expect(reconcile(untouched, observed { $0.databaseFailure = away }).deeds == [])

        var gone = untouched
        gone.status = MigrationStatus(observedGeneration: 1)
        gone.status?.planHash = "sha256:0123"
        #expect(reconcile(gone, observed { $0.databaseFailure = failure }).deeds == [])
        let ending = reconcile(
            gone,
            observed {
                $0.databaseFailure = failure
                $0.namespaceIsTerminating = true
            })
        #expect(ending.deeds == [.removeFinalizer])
        #expect(ending.events == ["NotCompensated"])
    }

    @Test("without our finalizer there is nothing to do")
    func free() {
        #expect(reconcile(migration(finalizer: false, deleted: true), observed()) == [])
    }
}
