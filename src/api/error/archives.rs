//! What it means that an archive was not unpacked, or a chunk of one not taken.
#![forbid(unsafe_code)]

use std::io;

use super::ApiError;
use crate::store::jail::JailError;
use crate::store::unpack::UnpackError;
use crate::store::uploads::UploadError;

impl From<UnpackError> for ApiError {
    fn from(error: UnpackError) -> Self {
        let sentence = error.to_string();
        match error {
            UnpackError::Source(error) => Self::from_body(error),
            UnpackError::NotAnArchive
            | UnpackError::Compression(_)
            | UnpackError::Damaged { .. }
            | UnpackError::Member { .. }
            | UnpackError::Checksum { .. } => Self::bad_request(&sentence),
            UnpackError::TooManyEntries => Self::TooMuch(sentence),
            // Where a file is, an archive would put a directory.
            UnpackError::Target(JailError::NotADirectory { .. })
            | UnpackError::Conflict { .. }
            | UnpackError::OtherFilesystem { .. }
            | UnpackError::CannotReplace { .. }
            | UnpackError::Changed { .. } => Self::conflict(&sentence),
            UnpackError::Target(error) => error.into(),
            UnpackError::NoRoom(shortage) => shortage.into(),
            UnpackError::NoInodes { .. } => Self::NoRoom {
                message: sentence,
                details: None,
            },
            UnpackError::Io { source, .. } | UnpackError::HalfWay { source, .. } => {
                Self::from_disk(&sentence, &source)
            }
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        let sentence = error.to_string();
        match error {
            UploadError::BadId
            | UploadError::BadTotal { .. }
            | UploadError::BadIndex { .. }
            | UploadError::BadChecksum
            | UploadError::TermTooLong { .. }
            | UploadError::Empty { .. }
            | UploadError::Checksum { .. } => Self::bad_request(&sentence),
            UploadError::TotalDiffers { .. }
            | UploadError::TermDiffers { .. }
            | UploadError::OtherBytes { .. }
            | UploadError::Dropped
            | UploadError::Extracting
            | UploadError::FailedElsewhere { .. } => Self::conflict(&sentence),
            UploadError::TooLarge { limit } => Self::TooLarge { limit },
            UploadError::TooMany { .. } => Self::TooMany(sentence),
            UploadError::Unknown => Self::NotFound(sentence),
            UploadError::WaitedTooLong => Self::Timeout {
                message: sentence,
                details: None,
            },
            UploadError::Abandoned => Self::ClientGone(io::ErrorKind::ConnectionReset.into()),
            UploadError::Body(error) => Self::from_body(error),
            UploadError::Disk { source, .. } => Self::from_disk(&sentence, &source),
        }
    }
}
