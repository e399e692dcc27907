//! Threads that take turns. SQLite's writer hands each statement to its connection's thread and waits, so the two never run at one time:
//! on one processor the next is there at once, on two each statement wakes another processor from its sleep, which on virtual machines
//! takes longer than the statement.

/// Keeps this thread, and those it starts, on the processor it is on. Where that cannot be, everything is as it was.
#[cfg(target_os = "linux")]
pub(super) fn stay_here() {
    use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    let _ = sched_setaffinity(None, &here);
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn stay_here() {}
