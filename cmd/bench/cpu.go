package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// procs reads the processes' accounts under a folder such as /proc.
type procs string

// cpu is the time that the process and all its descendants have spent on a core so far, from the scheduler's own
// nanosecond accounts of their threads. Threads that have ended are not in it.
func (p procs) cpu(pid int) (time.Duration, error) {
	tree, err := p.tree(pid)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, member := range tree {
		spent, err := p.spent(member)
		if err != nil {
			return 0, err
		}
		sum += spent
	}
	return sum, nil
}

// tree is the process and all its descendants.
func (p procs) tree(pid int) ([]int, error) {
	stats, err := filepath.Glob(filepath.Join(string(p), "[0-9]*", "stat"))
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, file := range stats {
		child, parent, err := parentOf(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrProcessDone) {
			continue // it ended while we looked
		}
		if err != nil {
			return nil, err
		}
		children[parent] = append(children[parent], child)
	}
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// parentOf reads a process's and its parent's number from a stat file. The program's name between them is in
// parentheses and may hold anything, parentheses and spaces included.
func parentOf(file string) (pid, parent int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	if len(text) == 0 {
		return 0, 0, os.ErrProcessDone
	}
	before, _, found := strings.Cut(string(text), " (")
	after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if !found || len(after) < 2 {
		return 0, 0, fmt.Errorf("%s: not a process's account", file)
	}
	if pid, err = strconv.Atoi(before); err != nil {
		return 0, 0, err
	}
	parent, err = strconv.Atoi(after[1])
	return pid, parent, err
}

// spent sums the threads of one process.
func (p procs) spent(pid int) (time.Duration, error) {
	files, err := filepath.Glob(filepath.Join(string(p), strconv.Itoa(pid), "task", "*", "schedstat"))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("process %d is gone, or the kernel keeps no schedstat", pid)
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
