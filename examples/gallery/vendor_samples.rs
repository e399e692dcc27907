pub fn pages() -> Vec<(&'static str, super::Draw)> {
    Vec::new()
}
