//! The program that an attempt drops: it ends, with 42, and does nothing else.

/// `exit(42)` in the processor's own words.
#[cfg(target_arch = "x86_64")]
const CODE: [u8; 12] = [0xbf, 42, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const CODE: [u8; 12] = [0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
#[cfg(target_arch = "x86_64")]
const PROCESSOR: u16 = 62;
#[cfg(target_arch = "aarch64")]
const PROCESSOR: u16 = 183;

/// The smallest static ELF program: its header, one segment, the code.
pub(super) fn program() -> Vec<u8> {
    const HEADERS: u64 = 64 + 56;
    const LOAD_AT: u64 = 0x40_0000;
    let size = HEADERS + CODE.len() as u64;
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half =
        |elf: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    let word =
        |elf: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    let long =
        |elf: &mut Vec<u8>, values: &[u64]| values.iter().for_each(|value| elf.extend_from_slice(&value.to_le_bytes()));
    half(&mut elf, &[2, PROCESSOR]);
    word(&mut elf, &[1]);
    long(&mut elf, &[LOAD_AT + HEADERS, 64, 0]);
    word(&mut elf, &[0]);
    half(&mut elf, &[64, 56, 1, 64, 0, 0]);
    word(&mut elf, &[1, 5]);
    long(&mut elf, &[0, LOAD_AT, LOAD_AT, size, size, 0x1000]);
    elf.extend_from_slice(&CODE);
    elf
}
