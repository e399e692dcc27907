//! A zip archive of a few small texts, stored as they are. A crate would weigh more than the files.

/// Names made safe for every system, and unlike each other whatever the case.
pub fn safe_names<'a>(wanted: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for wanted in wanted {
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let plain: String = wanted.chars().map(safe).take(100).collect();
        let plain = plain.trim_matches('.').to_owned();
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((&plain, "lic"));
        let (mut name, mut number) = (plain.clone(), 2);
        while name.is_empty() || names.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
            name = [stem, "-", &number.to_string(), ".", extension].concat();
            number += 1;
        }
        names.push(name);
    }
    names
}

/// The archive. `days` and `seconds` since 1980-01-01 in the visitor's time are what a zip dates its files with.
pub fn archive(files: &[(String, &[u8])], date: (u16, u16)) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let at = zip.len() as u32;
        // Version 1.0, names in UTF-8, stored; then date, checksum, both sizes, the name's length and no extra field.
        let mut entry = vec![10, 0, 0, 8, 0, 0];
        entry.extend([date.1.to_le_bytes(), date.0.to_le_bytes()].concat());
        for number in [crc32(bytes), bytes.len() as u32, bytes.len() as u32] {
            entry.extend(number.to_le_bytes());
        }
        entry.extend((name.len() as u32).to_le_bytes());
        zip.extend(b"PK\x03\x04");
        zip.extend(&entry);
        zip.extend(name.as_bytes());
        zip.extend(*bytes);
        directory.extend(b"PK\x01\x02\x0a\0");
        directory.extend(&entry);
        // No comment, first disk, no attributes; then where the file stands.
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, count) = (zip.len() as u32, files.len() as u16);
    zip.extend(&directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    zip.extend([(directory.len() as u32).to_le_bytes(), at.to_le_bytes()].concat());
    zip.extend([0; 2]);
    zip
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// A day and a time of it as a zip writes them.
pub const fn date(year: u32, month: u32, day: u32, hour: u32, minute: u32) -> (u16, u16) {
    let years = year.saturating_sub(1980);
    ((years << 9 | month << 5 | day) as u16, (hour << 11 | minute << 5) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_reads_what_is_written() {
        use std::io::Read;
        let files =
            [("a.lic".to_owned(), b"eyJ.one".as_slice()), ("b.lic".to_owned(), b""), ("c.lic".to_owned(), &[255; 70_000])];
        let bytes = archive(&files, date(2026, 11, 21, 13, 37));
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(zip.len(), 3);
        for (place, (name, expected)) in files.iter().enumerate() {
            let mut file = zip.by_index(place).unwrap();
            assert_eq!(file.name().unwrap().as_ref(), name.as_str());
            let at = file.last_modified().unwrap();
            assert_eq!((at.year(), at.month(), at.day(), at.hour(), at.minute()), (2026, 11, 21, 13, 37));
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(read, *expected, "its checksum holds too");
        }
    }

    #[test]
    fn names_are_safe_and_keep_apart() {
        let names = safe_names(["a.lic", "A.lic", "../../a.lic", "=cmd|.lic", "", "ü", "CON\u{202e}.lic"].into_iter());
        assert_eq!(names, ["a.lic", "A-2.lic", "-..-a.lic", "-cmd-.lic", "-2.lic", "-", "CON-.lic"]);
    }
}
