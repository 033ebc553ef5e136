//! Frames on the duplex stream: `u32 BE length | u8 kind | u32 BE channel | payload`, length counting all after itself.

/// Longest payload that either side accepts.
pub const MAX_PAYLOAD: usize = 4 * 1024 * 1024;
/// Bytes before the payload.
pub const HEADER: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Platform → agent: JSON [`super::protocol::Request`]; the channel is the request's id.
    Request = 0,
    /// Agent → platform: JSON [`super::protocol::Response`]; the channel is the request's id.
    Response = 1,
    /// Both ways: bytes of a process; the channel is the process's id. Empty from the platform: end of input.
    Data = 2,
    /// Both ways: `u32 BE` more bytes may be sent for this process, of output by the agent, of input by the platform.
    Credit = 3,
    /// Agent → platform: JSON [`super::protocol::Event`]; the channel is the process's id.
    Event = 4,
}

impl TryFrom<u8> for Kind {
    type Error = FrameError;
    fn try_from(value: u8) -> Result<Self, FrameError> {
        Ok(match value {
            0 => Self::Request,
            1 => Self::Response,
            2 => Self::Data,
            3 => Self::Credit,
            4 => Self::Event,
            other => return Err(FrameError::UnknownKind(other)),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    pub channel: u32,
    pub payload: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The stream is not ours, or out of step; close it.
    UnknownKind(u8),
    /// Shorter than a header or longer than [`MAX_PAYLOAD`].
    Length(u32),
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "unknown frame kind {kind}"),
            Self::Length(length) => write!(f, "frame length {length} is out of bounds"),
        }
    }
}

impl std::error::Error for FrameError {}

impl Frame {
    pub fn encode(&self, into: &mut Vec<u8>) {
        encode(self.kind, self.channel, &self.payload, into);
    }
}

/// Appends a frame to `into` without copying the payload first.
pub fn encode(kind: Kind, channel: u32, payload: &[u8], into: &mut Vec<u8>) {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    let length = u32::try_from(payload.len() + HEADER - 4).unwrap_or(u32::MAX);
    into.extend_from_slice(&length.to_be_bytes());
    into.push(kind as u8);
    into.extend_from_slice(&channel.to_be_bytes());
    into.extend_from_slice(payload);
}

/// The kind, channel and whole size of the frame that `buffer` begins with, or `None` when its header is not whole yet.
pub fn peek(buffer: &[u8]) -> Result<Option<(Kind, u32, usize)>, FrameError> {
    let Some(head) = buffer.first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    let size = length as usize + 4;
    if !(HEADER..=MAX_PAYLOAD + HEADER).contains(&size) {
        return Err(FrameError::Length(length));
    }
    let kind = Kind::try_from(head[4])?;
    let channel = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Ok(Some((kind, channel, size)))
}

/// Takes the first whole frame off `buffer`: the frame and how many bytes it took, or `None` when more is needed.
pub fn decode(buffer: &[u8]) -> Result<Option<(Frame, usize)>, FrameError> {
    let Some((kind, channel, size)) = peek(buffer)? else { return Ok(None) };
    let Some(payload) = buffer.get(HEADER..size) else { return Ok(None) };
    Ok(Some((Frame { kind, channel, payload: payload.to_vec() }, size)))
}
