# cmake -DOUTPUT=FILE.cc "-DMIGRATIONS=A.sql;B.sql" -P embed_migrations.cmake
set(text "#include \"db/migration.h\"\n\nnamespace db {\n\nstd::vector<Migration> EmbeddedMigrations() {\n  return {\n")
foreach(file IN LISTS MIGRATIONS)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} sql)
  string(APPEND text "      {\"${name}\", R\"~sql~(${sql})~sql~\"},\n")
endforeach()
string(APPEND text "  };\n}\n\n}  // namespace db\n")
file(WRITE ${OUTPUT} "${text}")
