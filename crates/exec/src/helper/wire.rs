//! Requests to the helper: one datagram that carries file descriptors, the
//! first of which is a memory file with the text.

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Descriptors of a request: text, control, stdin, stdout, stderr.
pub(super) const FDS: usize = 5;

/// Sends a task's description with its control socket and standard streams.
pub(super) fn send(socket: BorrowedFd<'_>, text: &[u8], fds: [BorrowedFd<'_>; FDS - 1]) -> io::Result<()> {
    let mut file = File::from(memfd_create("task", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    file.rewind()?;
    let fds = [file.as_fd(), fds[0], fds[1], fds[2], fds[3]];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)), "the space is made for this many");
    sendmsg(socket, &[IoSlice::new(b"t")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives what [`send`] sent; `None` when the other end is closed.
pub(super) fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(String, [OwnedFd; FDS - 1])>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0u8];
    let got = recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes == 0 {
        return Ok(None);
    }
    let mut fds = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let (Some(text), Some(a), Some(b), Some(c), Some(d)) =
        (fds.next(), fds.next(), fds.next(), fds.next(), fds.next())
    else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a request without its file descriptors"));
    };
    let mut content = String::new();
    File::from(text).read_to_string(&mut content)?;
    Ok(Some((content, [a, b, c, d])))
}
