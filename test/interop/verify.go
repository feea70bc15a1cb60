// Verifies what "mcpworks audit export" and "mcpworks audit prove" write with the code of the Go checksum database,
// which knows nothing of MCPWorks. Usage: verify BUNDLE [PROOF...], where a proof is in the form c2sp.org/tlog-proof@v1
// with the record that it is of beside it in PROOF.record. Exits with 1 and a sentence at the first thing that is wrong.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Printf("REFUSED: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(parts...))
	must(err, "reading")
	return data
}

// openCheckpoint checks the signature of a note and gives the tree that it states.
func openCheckpoint(text []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err, "the signature of a checkpoint")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		must(fmt.Errorf("origin %q", lines[0]), "a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "the size of a checkpoint")
	hash, err := tlog.ParseHash(lines[2])
	must(err, "the root of a checkpoint")
	return tlog.Tree{N: size, Hash: hash}
}

// tileFiles reads tiles as c2sp.org/tlog-tiles lays them out: as the Go tools do, without the height in the path.
type tileFiles struct{ directory string }

func (files tileFiles) Height() int { return 8 }

func (files tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for at, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		content, err := os.ReadFile(filepath.Join(files.directory, path))
		if err != nil {
			return nil, err
		}
		data[at] = content
	}
	return data, nil
}

func (files tileFiles) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func lines(path string) []string {
	file, err := os.Open(path)
	must(err, "opening")
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 16<<20)
	var all []string
	for scanner.Scan() {
		all = append(all, scanner.Text())
	}
	must(scanner.Err(), "reading lines")
	return all
}

func main() {
	bundle := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(bundle, "key.pub"))))
	must(err, "the verifier key")
	newest := openCheckpoint(read(bundle, "checkpoint"), verifier)
	reader := tlog.TileHashReader(newest, tileFiles{bundle})

	records := lines(filepath.Join(bundle, "records.jsonl"))
	if int64(len(records)) != newest.N {
		must(fmt.Errorf("%d of %d", len(records), newest.N), "the number of records")
	}
	for at, record := range records {
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(at))})
		must(err, "the tiles")
		if hashes[0] != tlog.RecordHash([]byte(record)) {
			must(fmt.Errorf("not in the tree"), "record "+strconv.Itoa(at))
		}
		inclusion, err := tlog.ProveRecord(newest.N, int64(at), reader)
		must(err, "making a proof")
		must(tlog.CheckRecord(inclusion, newest.N, newest.Hash, int64(at), hashes[0]), "an inclusion proof from tiles")
	}

	checkpoints := lines(filepath.Join(bundle, "checkpoints.jsonl"))
	for _, line := range checkpoints {
		var text string
		must(json.Unmarshal([]byte(line), &text), "a line of checkpoints.jsonl")
		older := openCheckpoint([]byte(text), verifier)
		proof, err := tlog.ProveTree(newest.N, older.N, reader)
		must(err, "making a consistency proof")
		must(tlog.CheckTree(proof, newest.N, newest.Hash, older.N, older.Hash), "consistency with an earlier checkpoint")
	}

	for _, path := range os.Args[2:] {
		checkProof(path, verifier)
	}
	fmt.Printf("VERIFIED: %d records, %d checkpoints, %d proofs\n", len(records), len(checkpoints), len(os.Args)-2)
}

func checkProof(path string, verifier note.Verifier) {
	head, checkpoint, found := strings.Cut(string(read(path)), "\n\n")
	rows := strings.Split(head, "\n")
	if !found || len(rows) < 2 || rows[0] != "c2sp.org/tlog-proof@v1" {
		must(fmt.Errorf("no tlog-proof"), path)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(rows[1], "index "), 10, 64)
	must(err, "the index of a proof")
	var proof tlog.RecordProof
	for _, row := range rows[2:] {
		bytes, err := base64.StdEncoding.DecodeString(row)
		must(err, "a hash of a proof")
		var hash tlog.Hash
		copy(hash[:], bytes)
		proof = append(proof, hash)
	}
	tree := openCheckpoint([]byte(checkpoint), verifier)
	leaf := tlog.RecordHash(read(path + ".record"))
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf), "a proof of one record")
}
