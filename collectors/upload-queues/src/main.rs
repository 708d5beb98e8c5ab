//! The program `tidemark-upload-queues`.

tidemark_app::main!(tidemark_upload_queues::UploadQueues);
