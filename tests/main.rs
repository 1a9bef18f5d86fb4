//! The whole program against real and scripted servers, on both databases.
