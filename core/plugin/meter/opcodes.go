package meter

// The instructions that the meter reads by name or writes.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opReturn       = 0x0f
	opCall         = 0x10
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32LtS       = 0x48
	opI32LeU       = 0x4d
	opI64LtS       = 0x53
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64ShrU      = 0x88
	opI64ExtendI32 = 0xad // unsigned
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	prefixMisc     = 0xfc
	prefixSIMD     = 0xfd
	simdConst      = 0x0c
)

// shape says what follows an opcode and how the decoder treats it. The zero shape is an unknown instruction.
type shape uint8

const (
	unknown shape = iota
	plain         // no immediate
	structBlock
	structLoop
	structIf
	structElse
	structEnd
	branch
	branchIf
	branchTable
	leave // return
	trap  // unreachable
	call
	callIndirect
	selectTyped
	localGet
	localSet
	localTee
	globalGet
	globalSet
	tableOp // table index
	memArg  // alignment and offset
	memSize
	memGrow
	constI32
	constI64
	constF32
	constF64
	refNull
	refFunc
	misc
	simd
	// Behind prefixMisc.
	memInit
	memCopy
	memFill
	dataDrop
	tableInit
	tableCopy
	elemDrop
	tableGrow
	tableFill
	// Behind prefixSIMD.
	simdBytes // 16 bytes
	simdLanes // 16 lanes below 32
	simdLane  // a lane below limit
	simdMem
	simdMemLane
)

// op is what the meter knows of an instruction: how many operands it takes and leaves, and its weight in fuel. Where
// these depend on types (calls, blocks, branches) pop and push are zero. limit bounds a lane, or the alignment's
// exponent of a memory access.
type op struct {
	shape     shape
	pop, push uint8
	weight    uint16
	limit     uint8
}

// The weights. One unit is one simple instruction; loads count more because they may miss the cache.
const (
	weightSimple   = 1
	weightGlobal   = 2
	weightLoad     = 3
	weightStore    = 2
	weightBranch   = 1
	weightTable    = 3 // br_table, and access to a table
	weightCall     = 3
	weightIndirect = 8
	weightMul      = 2
	weightDiv      = 8
	weightFloat    = 2
	weightFloatDiv = 8
	weightConvert  = 2
	weightTrunc    = 4 // float to integer, with its range checks
	weightSIMD     = 2
	weightBulk     = 20 // base of a bulk operation; its length is charged apart
	weightMemGrow  = 5000
	weightTblGrow  = 1000

	weightEntry = 8 // and one per parameter and local
	weightLoop  = 6 // the charge itself

	bytesPerUnitLog = 3       // bulk memory: 8 bytes a unit
	unitsPerPage    = 2 << 13 // memory.grow: clearing and copying 64 KiB, 8 bytes a unit
	unitsPerEntry   = 1       // bulk table operations: an entry has 8 bytes
)

// opTable holds the instructions of one byte: MVP, sign extension and reference types.
var opTable = [256]op{
	0x00: {shape: trap},
	0x01: {shape: plain, weight: weightSimple},
	0x02: {shape: structBlock},
	0x03: {shape: structLoop},
	0x04: {shape: structIf, pop: 1, weight: weightBranch},
	0x05: {shape: structElse},
	0x0b: {shape: structEnd},
	0x0c: {shape: branch, weight: weightBranch},
	0x0d: {shape: branchIf, pop: 1, weight: weightBranch},
	0x0e: {shape: branchTable, pop: 1, weight: weightTable},
	0x0f: {shape: leave, weight: weightBranch},
	0x10: {shape: call, weight: weightCall},
	0x11: {shape: callIndirect, pop: 1, weight: weightIndirect},
	0x1a: {shape: plain, pop: 1, weight: weightSimple},
	0x1b: {shape: plain, pop: 3, push: 1, weight: weightSimple},
	0x1c: {shape: selectTyped, pop: 3, push: 1, weight: weightSimple},
	0x20: {shape: localGet, push: 1, weight: weightSimple},
	0x21: {shape: localSet, pop: 1, weight: weightSimple},
	0x22: {shape: localTee, pop: 1, push: 1, weight: weightSimple},
	0x23: {shape: globalGet, push: 1, weight: weightGlobal},
	0x24: {shape: globalSet, pop: 1, weight: weightGlobal},
	0x25: {shape: tableOp, pop: 1, push: 1, weight: weightTable},
	0x26: {shape: tableOp, pop: 2, weight: weightTable},
	0x28: loads(2), 0x29: loads(3), 0x2a: loads(2), 0x2b: loads(3),
	0x2c: loads(0), 0x2d: loads(0), 0x2e: loads(1), 0x2f: loads(1),
	0x30: loads(0), 0x31: loads(0), 0x32: loads(1), 0x33: loads(1), 0x34: loads(2), 0x35: loads(2),
	0x36: stores(2), 0x37: stores(3), 0x38: stores(2), 0x39: stores(3),
	0x3a: stores(0), 0x3b: stores(1), 0x3c: stores(0), 0x3d: stores(1), 0x3e: stores(2),
	0x3f: {shape: memSize, push: 1, weight: weightSimple},
	0x40: {shape: memGrow, pop: 1, push: 1, weight: weightMemGrow},
	0x41: {shape: constI32, push: 1, weight: weightSimple},
	0x42: {shape: constI64, push: 1, weight: weightSimple},
	0x43: {shape: constF32, push: 1, weight: weightSimple},
	0x44: {shape: constF64, push: 1, weight: weightSimple},
	// Comparisons of i32, i64, f32 and f64.
	0x45: unary(weightSimple), 0x46: binary(weightSimple), 0x47: binary(weightSimple), 0x48: binary(weightSimple),
	0x49: binary(weightSimple), 0x4a: binary(weightSimple), 0x4b: binary(weightSimple), 0x4c: binary(weightSimple),
	0x4d: binary(weightSimple), 0x4e: binary(weightSimple), 0x4f: binary(weightSimple),
	0x50: unary(weightSimple), 0x51: binary(weightSimple), 0x52: binary(weightSimple), 0x53: binary(weightSimple),
	0x54: binary(weightSimple), 0x55: binary(weightSimple), 0x56: binary(weightSimple), 0x57: binary(weightSimple),
	0x58: binary(weightSimple), 0x59: binary(weightSimple), 0x5a: binary(weightSimple),
	0x5b: binary(weightFloat), 0x5c: binary(weightFloat), 0x5d: binary(weightFloat), 0x5e: binary(weightFloat),
	0x5f: binary(weightFloat), 0x60: binary(weightFloat), 0x61: binary(weightFloat), 0x62: binary(weightFloat),
	0x63: binary(weightFloat), 0x64: binary(weightFloat), 0x65: binary(weightFloat), 0x66: binary(weightFloat),
	// i32: clz ctz popcnt, add sub mul, div div rem rem, and or xor, shl shr shr rotl rotr.
	0x67: unary(weightSimple), 0x68: unary(weightSimple), 0x69: unary(weightSimple),
	0x6a: binary(weightSimple), 0x6b: binary(weightSimple), 0x6c: binary(weightMul),
	0x6d: binary(weightDiv), 0x6e: binary(weightDiv), 0x6f: binary(weightDiv), 0x70: binary(weightDiv),
	0x71: binary(weightSimple), 0x72: binary(weightSimple), 0x73: binary(weightSimple), 0x74: binary(weightSimple),
	0x75: binary(weightSimple), 0x76: binary(weightSimple), 0x77: binary(weightSimple), 0x78: binary(weightSimple),
	// i64, the same.
	0x79: unary(weightSimple), 0x7a: unary(weightSimple), 0x7b: unary(weightSimple),
	0x7c: binary(weightSimple), 0x7d: binary(weightSimple), 0x7e: binary(weightMul),
	0x7f: binary(weightDiv), 0x80: binary(weightDiv), 0x81: binary(weightDiv), 0x82: binary(weightDiv),
	0x83: binary(weightSimple), 0x84: binary(weightSimple), 0x85: binary(weightSimple), 0x86: binary(weightSimple),
	0x87: binary(weightSimple), 0x88: binary(weightSimple), 0x89: binary(weightSimple), 0x8a: binary(weightSimple),
	// f32: abs neg ceil floor trunc nearest sqrt, add sub mul div, min max copysign.
	0x8b: unary(weightFloat), 0x8c: unary(weightFloat), 0x8d: unary(weightFloat), 0x8e: unary(weightFloat),
	0x8f: unary(weightFloat), 0x90: unary(weightFloat), 0x91: unary(weightFloatDiv),
	0x92: binary(weightFloat), 0x93: binary(weightFloat), 0x94: binary(weightFloat), 0x95: binary(weightFloatDiv),
	0x96: binary(weightFloat), 0x97: binary(weightFloat), 0x98: binary(weightFloat),
	// f64, the same.
	0x99: unary(weightFloat), 0x9a: unary(weightFloat), 0x9b: unary(weightFloat), 0x9c: unary(weightFloat),
	0x9d: unary(weightFloat), 0x9e: unary(weightFloat), 0x9f: unary(weightFloatDiv),
	0xa0: binary(weightFloat), 0xa1: binary(weightFloat), 0xa2: binary(weightFloat), 0xa3: binary(weightFloatDiv),
	0xa4: binary(weightFloat), 0xa5: binary(weightFloat), 0xa6: binary(weightFloat),
	// Conversions.
	0xa7: unary(weightSimple), 0xa8: unary(weightTrunc), 0xa9: unary(weightTrunc), 0xaa: unary(weightTrunc),
	0xab: unary(weightTrunc), 0xac: unary(weightSimple), 0xad: unary(weightSimple), 0xae: unary(weightTrunc),
	0xaf: unary(weightTrunc), 0xb0: unary(weightTrunc), 0xb1: unary(weightTrunc), 0xb2: unary(weightConvert),
	0xb3: unary(weightConvert), 0xb4: unary(weightConvert), 0xb5: unary(weightConvert), 0xb6: unary(weightConvert),
	0xb7: unary(weightConvert), 0xb8: unary(weightConvert), 0xb9: unary(weightConvert), 0xba: unary(weightConvert),
	0xbb: unary(weightConvert), 0xbc: unary(weightSimple), 0xbd: unary(weightSimple), 0xbe: unary(weightSimple),
	0xbf: unary(weightSimple),
	// Sign extension.
	0xc0: unary(weightSimple), 0xc1: unary(weightSimple), 0xc2: unary(weightSimple), 0xc3: unary(weightSimple),
	0xc4: unary(weightSimple),
	0xd0: {shape: refNull, push: 1, weight: weightSimple},
	0xd1: unary(weightSimple),
	0xd2: {shape: refFunc, push: 1, weight: weightSimple},
	0xfc: {shape: misc},
	0xfd: {shape: simd},
}

// miscTable holds the instructions behind 0xfc: saturating truncation, bulk memory, table operations.
var miscTable = [...]op{
	0x00: unary(weightTrunc), 0x01: unary(weightTrunc), 0x02: unary(weightTrunc), 0x03: unary(weightTrunc),
	0x04: unary(weightTrunc), 0x05: unary(weightTrunc), 0x06: unary(weightTrunc), 0x07: unary(weightTrunc),
	0x08: {shape: memInit, pop: 3, weight: weightBulk},
	0x09: {shape: dataDrop, weight: weightSimple},
	0x0a: {shape: memCopy, pop: 3, weight: weightBulk},
	0x0b: {shape: memFill, pop: 3, weight: weightBulk},
	0x0c: {shape: tableInit, pop: 3, weight: weightBulk},
	0x0d: {shape: elemDrop, weight: weightSimple},
	0x0e: {shape: tableCopy, pop: 3, weight: weightBulk},
	0x0f: {shape: tableGrow, pop: 2, push: 1, weight: weightTblGrow},
	0x10: {shape: tableOp, push: 1, weight: weightSimple},
	0x11: {shape: tableFill, pop: 3, weight: weightBulk},
}

func unary(weight uint16) op  { return op{shape: plain, pop: 1, push: 1, weight: weight} }
func binary(weight uint16) op { return op{shape: plain, pop: 2, push: 1, weight: weight} }
func loads(align uint8) op {
	return op{shape: memArg, pop: 1, push: 1, weight: weightLoad, limit: align}
}
func stores(align uint8) op { return op{shape: memArg, pop: 2, weight: weightStore, limit: align} }
