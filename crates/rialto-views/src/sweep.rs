//! Clears what SQLite leaves between the cells of its pages.
//!
//! `secure_delete` overwrites what is deleted, but a page that is rebuilt when rows move keeps stale
//! copies of them in its unallocated part, the gap between cell pointers and cells
//! (<https://sqlite.org/fileformat2.html#b_tree_pages>). No query ever reads that part, so it can be
//! cleared in the file itself, without rewriting rows: one sequential read, and a write for each
//! page whose gap is not clear. Cell content, free pages and overflow pages are never touched.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at a time; a multiple of every page size.
const STEP_BYTES: usize = 1 << 20;
const HEADER_BYTES: usize = 100;
/// From so many pages on, the first byte of an overflow page could be that of a b-tree page.
const MOST_PAGES: u64 = 0x0200_0000;

/// Clears the gaps of a database file whose write-ahead file is empty and whose writer waits.
/// Nothing of it may be in the writer's cache afterwards: it would be written back.
///
/// # Errors
/// When the file cannot be read or written, or is not one of SQLite's.
pub(crate) fn sweep(file: &File) -> io::Result<()> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0)?;
    let not_ours = || io::Error::new(io::ErrorKind::InvalidData, "not a page of SQLite's");
    let page_bytes = match u16_at(&header, 16).ok_or_else(not_ours)? {
        1 => 65_536,
        bytes if bytes.is_power_of_two() && bytes >= 512 => usize::from(bytes),
        _ => return Err(not_ours()),
    };
    let reserved = usize::from(*header.get(20).ok_or_else(not_ours)?);
    let usable = page_bytes - reserved;
    let length = file.metadata()?.len();
    if length / page_bytes as u64 >= MOST_PAGES {
        return Err(io::Error::other("the file is too large to be swept"));
    }
    let mut step = vec![0; STEP_BYTES];
    let (mut at, mut changed) = (0_u64, false);
    while at < length {
        let left = usize::try_from(length - at).unwrap_or(usize::MAX);
        let read = step.get_mut(..left.min(STEP_BYTES)).ok_or_else(not_ours)?;
        file.read_exact_at(read, at)?;
        for (index, page) in (0_u64..).zip(read.chunks_exact(page_bytes)) {
            let start = at + index * page_bytes as u64;
            let from = if start == 0 { HEADER_BYTES } else { 0 };
            let Some((gap, length)) = gap(page, from, usable) else {
                continue;
            };
            file.write_all_at(&vec![0; length], start + gap as u64)?;
            changed = true;
        }
        at += read.len() as u64;
    }
    match changed {
        true => file.sync_data(),
        false => Ok(()),
    }
}

/// Where the gap of a page begins and how long it is, if it is a page with cells and its gap is not
/// clear.
fn gap(page: &[u8], header: usize, usable: usize) -> Option<(usize, usize)> {
    let pointers = match page.get(header)? {
        // Interior pages have a further pointer in their header.
        0x02 | 0x05 => header + 12,
        0x0a | 0x0d => header + 8,
        _ => return None,
    };
    let cells = usize::from(u16_at(page, header + 3)?);
    let content = match u16_at(page, header + 5)? {
        0 => 65_536,
        content => usize::from(content),
    };
    let begin = pointers + 2 * cells;
    if begin > content || content > usable {
        return None;
    }
    let gap = page.get(begin..content)?;
    (!gap.iter().all(|byte| *byte == 0)).then_some((begin, gap.len()))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gap_of_a_page_with_cells_is_found() {
        let mut page = vec![7_u8; 512];
        let header = |page: &mut Vec<u8>, kind: u8, cells: u16, content: u16| {
            page[0] = kind;
            page[3..5].copy_from_slice(&cells.to_be_bytes());
            page[5..7].copy_from_slice(&content.to_be_bytes());
        };
        header(&mut page, 0x0d, 3, 400);
        assert_eq!(gap(&page, 0, 512), Some((14, 386)));
        header(&mut page, 0x05, 3, 400);
        assert_eq!(gap(&page, 0, 512), Some((18, 382)));
        page[18..400].fill(0);
        assert_eq!(gap(&page, 0, 512), None, "it is clear");
        page[18] = 1;
        // An overflow page, pointers beyond the cells, cells beyond the page.
        for (kind, cells, content) in [(0, 3, 400), (0x0d, 200, 400), (0x0d, 3, 600)] {
            header(&mut page, kind, cells, content);
            assert_eq!(gap(&page, 0, 512), None, "{kind} {cells} {content}");
        }
        assert_eq!(gap(&[], 0, 512), None);
    }
}
