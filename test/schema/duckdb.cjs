// Runs blocks of SQL, a list in JSON on stdin, in one database in memory, and prints a
// list with the answer to each: the columns and rows of its last statement, or an error.
const { readFileSync } = require('node:fs');
const { DuckDBInstance } = require('@duckdb/node-api');

async function answer(connection, sql) {
  try {
    const reader = await connection.runAndReadAll(sql);
    return { columns: reader.columnNames(), rows: reader.getRowsJson() };
  } catch (error) {
    return { error: error.message };
  }
}

(async () => {
  // Nothing is fetched: what a query needs must be in DuckDB itself.
  const offline = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };
  const connection = await (await DuckDBInstance.create(':memory:', offline)).connect();
  const answers = [];
  for (const sql of JSON.parse(readFileSync(0, 'utf8'))) {
    answers.push(await answer(connection, sql));
  }
  console.log(JSON.stringify(answers));
})();
