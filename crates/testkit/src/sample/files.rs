//! Files people attach, made by us: each really opens.

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::fmt::Write as _;
use std::io::Write as _;

/// A PDF of one page with some lines in Helvetica. Letters outside ASCII lose their marks.
pub fn pdf(lines: &[String]) -> Vec<u8> {
    let mut page = String::from("BT /F1 12 Tf 64 780 Td 18 TL\n");
    for line in lines {
        let plain: String = line.chars().map(plain_letter).filter(|c| !"()\\".contains(*c)).collect();
        writeln!(page, "({plain}) Tj T*").expect("writing to a String cannot fail");
    }
    page.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).expect("writing to a String cannot fail");
        writeln!(file, "{} 0 obj\n{object}\nendobj", index + 1).expect("writing to a String cannot fail");
    }
    let at = file.len();
    format!("{file}{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").into_bytes()
}

/// A PNG: a shelf, with one board in the colour of trouble.
pub fn shelf_png(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let broken = u32::try_from(seed % 4).expect("below 4");
    png(width, height, |x, y| {
        let board = y * 5 / height;
        let in_board = (y * 5) % height < height / 6 && board > 0;
        let post = x % (width / 3).max(1) < width / 40 + 1;
        match (in_board, post) {
            (true, _) if board == broken + 1 => [196, 74, 58],
            (true, _) => [176, 132, 86],
            (_, true) => [92, 99, 108],
            _ => [u8::try_from(216 + (x * 20 / width)).unwrap_or(236), 226, 232],
        }
    })
}

/// A PNG: Acme's sign, for signatures.
pub fn sign_png() -> Vec<u8> {
    png(96, 32, |x, y| {
        let bar = x / 12;
        if y > 30 - (bar % 4) * 7 && x % 12 < 8 { [24, 94, 140] } else { [255, 255, 255] }
    })
}

/// RFC 2083, colour type 2, eight bits.
fn png(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::default());
    for y in 0..height {
        let row: Vec<u8> = std::iter::once(0).chain((0..width).flat_map(|x| colour(x, y))).collect();
        pixels.write_all(&row).expect("writing to a Vec cannot fail");
    }
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    chunk(&mut file, b"IDAT", &pixels.finish().expect("writing to a Vec cannot fail"));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("our pictures are small");
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend(data);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend(crc.sum().to_be_bytes());
}

/// A price list as spreadsheets of the region like it: semicolons, a comma for decimals, UTF-8 with a mark.
pub fn price_list_csv(models: &[String]) -> Vec<u8> {
    let mut csv = String::from("\u{feff}Model;Kg;Cena\r\n");
    for (index, model) in models.iter().enumerate() {
        let number = index + 1;
        write!(csv, "{model};{};{},50\r\n", 12 + number * 7, 890 + number * 310)
            .expect("writing to a String cannot fail");
    }
    csv.into_bytes()
}

/// An invitation (RFC 5545, RFC 5546). `begins` is written as in iCalendar, in UTC.
pub fn invitation(uid: &str, begins: &str, summary: &str, organizer: &str, attendee: &str) -> Vec<u8> {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Acme//Sample//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
         UID:{uid}\r\nDTSTAMP:{begins}\r\nDTSTART:{begins}\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\n\
         ORGANIZER:mailto:{organizer}\r\nATTENDEE;RSVP=TRUE:mailto:{attendee}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    .into_bytes()
}

/// A `winmail.dat` with one file in it, as Exchange makes them ([MS-OXTNEF]).
pub fn winmail(name: &str, content: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0x223E_9F78_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    let zero_ended = |text: &str| [text.as_bytes(), &[0]].concat();
    tnef_attribute(&mut file, 1, 0x0008_9006, &0x0001_0000_u32.to_le_bytes());
    tnef_attribute(&mut file, 1, 0x0006_9007, &[1252_u32.to_le_bytes(), 0_u32.to_le_bytes()].concat());
    tnef_attribute(&mut file, 1, 0x0007_8008, &zero_ended("IPM.Microsoft Mail.Note"));
    // attAttachRenddata begins each attachment: a file, shown nowhere in the text.
    let rendering: [u8; 14] = [1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x20, 0, 0x20, 0, 0, 0, 0, 0];
    tnef_attribute(&mut file, 2, 0x0006_9002, &rendering);
    tnef_attribute(&mut file, 2, 0x0001_8010, &zero_ended(name));
    tnef_attribute(&mut file, 2, 0x0006_800F, content);
    file
}

fn tnef_attribute(file: &mut Vec<u8>, level: u8, id: u32, data: &[u8]) {
    file.push(level);
    file.extend(id.to_le_bytes());
    file.extend(u32::try_from(data.len()).expect("our files are small").to_le_bytes());
    file.extend(data);
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    file.extend(sum.to_le_bytes());
}

/// A letter without its mark, or `?`.
fn plain_letter(letter: char) -> char {
    const MARKED: &str = "áčďéěíňóřšťúůýžľĺŕôäąćęłńśźżÁČĎÉĚÍŇÓŘŠŤÚŮÝŽĽĹŔÔÄĄĆĘŁŃŚŹŻ";
    const PLAIN: &str = "acdeeinorstuuyzllroaacelnszzACDEEINORSTUUYZLLROAACELNSZZ";
    if letter.is_ascii() && !letter.is_ascii_control() {
        return letter;
    }
    let place = MARKED.chars().position(|marked| marked == letter);
    place.and_then(|place| PLAIN.chars().nth(place)).unwrap_or('?')
}
