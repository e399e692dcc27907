//! Everything between the network and the acts: configuration, router, sessions, origin check, jobs, telemetry.

pub mod site;
