"""The language server: sessions in every editor. pygls stays within these walls."""
