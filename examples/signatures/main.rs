//! The yardstick of `script/bench calls`: RSA-4096 signatures a second on all cores at once, with nothing else. Prints one number.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = RsaKeyPair::generate(KeySize::Rsa4096)?;
    let cores = thread::available_parallelism()?.get();
    let (made, time) = (AtomicU64::new(0), Duration::from_secs(4));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let random = SystemRandom::new();
                let mut signature = vec![0; key.public_modulus_len()];
                while began.elapsed() < time && key.sign(&RSA_PKCS1_SHA256, &random, b"an answer", &mut signature).is_ok() {
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{:.0}", made.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64());
    Ok(())
}
